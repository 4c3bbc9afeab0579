import { z } from "zod";
import type { Context } from "../context.ts";
import { type Downloaded, withDownload } from "../download/download.ts";
import { NidoError } from "../errors.ts";
import { operation } from "../operation.ts";
import { project } from "../project.ts";
import { type Binary, replaceBinary, versionOf } from "./installed/binary.ts";
import { type Copy, replaceable, thisCopy, updatedOtherwise } from "./installed/copy.ts";
import { binaryName, openRelease, refuseOpenLine, type Release } from "./installed/release.ts";

const input = z.strictObject({
  check: z.boolean().default(false).describe("Only tell whether there is a newer version"),
  version: z.string().max(64).optional().describe(
    "Version to change to, older ones and prereleases too",
  ),
  rollback: z.boolean().default(false).describe("Go back to the version before the last update"),
  from: z.url().optional().describe("Address of another release server"),
});

const output = z.strictObject({
  installed: z.string().describe("Version that is installed now"),
  available: z.string().optional().describe("Version that the release server has"),
  updated: z.boolean().describe("True when another version was installed just now"),
  isNewer: z.boolean().describe("True when what is available is newer than what is installed"),
  kept: z.string().optional().describe("Version that was replaced; --rollback goes back to it"),
  command: z.string().optional().describe("What updates this copy, where nido update can't"),
});

type Input = z.input<typeof input>;
type Output = z.output<typeof output>;

/** Brings another version of Nido, verified, and keeps the one that was there. */
export async function update(
  context: Context,
  { check, version, rollback, from = project.releases }: Input,
  copy: Copy = thisCopy(),
): Promise<Output> {
  refuseNonsense({ check, version, rollback });
  refuseOpenLine(from);
  if (rollback) return await rollBack(replaceable(copy), copy.version);
  const binary = check ? undefined : replaceable(copy);
  const { compareVersions } = await import("compare-versions");
  const release = await openRelease(context, from, version?.replace(/^v/, ""));
  const order = compareVersions(release.version, copy.version);
  const told = { available: release.version, isNewer: order > 0, installed: copy.version };
  const isWanted = version === undefined ? order > 0 : order !== 0;
  if (!binary) return { ...told, updated: false, command: updatedOtherwise(copy)?.command };
  if (!isWanted) return { ...told, updated: false };
  await withBinary(context, release, copy, async ({ path }) => {
    context.report({ stage: "install", message: `Installing Nido ${release.version}` });
    await replaceBinary(binary, path, release.version);
  });
  const { version: installed } = release;
  return { installed, available: installed, isNewer: false, updated: true, kept: copy.version };
}

async function rollBack(binary: Binary, replaced: string): Promise<Output> {
  const version = await versionOf(binary.previous);
  if (version === undefined) {
    throw new NidoError("not_found", `Cannot roll back: there is no ${binary.previous} that runs`, {
      hint: "nido update --version VERSION",
    });
  }
  await replaceBinary(binary, binary.previous, version);
  return { installed: version, isNewer: false, updated: true, kept: replaced };
}

async function withBinary(
  context: Context,
  release: Release,
  { platform }: Copy,
  use: (file: Downloaded) => Promise<void>,
): Promise<void> {
  const name = binaryName(release.version, platform);
  const digest = release.digests.get(name);
  if (digest === undefined) {
    const fact = `it has no binary for ${platform.os} on ${platform.arch}`;
    throw new NidoError("not_found", `Cannot install Nido ${release.version}: ${fact}`, {
      hint: "deno run -A jsr:@nido/cli version",
    });
  }
  try {
    const sources = [[release.address(name)]];
    await withDownload(context, { sources, digest, label: `Nido ${release.version}` }, use);
  } catch (error) {
    if (!(error instanceof NidoError) || !error.hint?.startsWith("nido image")) throw error;
    const { code, message, details, cause } = error;
    throw new NidoError(code, message, { details, cause, hint: "nido update" });
  }
}

function refuseNonsense({ check, version, rollback }: Input): void {
  const refuse = (fact: string) =>
    new NidoError("invalid_input", `Cannot run system.update: ${fact}`, {
      hint: "nido update --help",
    });
  if (rollback && (check || version !== undefined)) {
    throw refuse("rollback: it goes with no other option");
  }
  if (version !== undefined && !VERSION.test(version)) {
    throw refuse("version: use a semantic version like 1.2.3 or 1.2.3-rc.1");
  }
}

const VERSION = /^v?\d{1,9}\.\d{1,9}\.\d{1,9}(-[0-9A-Za-z.-]+)?$/;

function asText({ installed, available, updated, isNewer, kept, command }: Output): string {
  if (updated) return `Nido ${installed} is installed; ${kept} is kept: nido update --rollback`;
  if (isNewer) {
    return `Nido ${available} is there, ${installed} is installed: ${command ?? "nido update"}`;
  }
  return available === installed
    ? `Nido ${installed} is the newest`
    : `Nido ${installed} is installed, which is newer than ${available}`;
}

export default operation({
  name: "system.update",
  summary: "Bring the newest version of Nido, or another one",
  description:
    "Downloads the binary for this system, verifies its digest, sees that it starts, and " +
    "puts it in the place of this one, which is kept beside it. Running VMs go on. A copy that was " +
    "not installed as a binary is told how it is updated.",
  effect: "change",
  openWorld: true,
  surfaces: ["cli"],
  input,
  output,
  examples: [
    "nido update",
    "nido update --check",
    "nido update --version 0.1.0",
    "nido update --rollback",
  ],
  text: asText,
  run: (context: Context, input) => update(context, input),
});
