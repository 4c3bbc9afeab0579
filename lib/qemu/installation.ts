import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { installCommand } from "../host/packages.ts";
import { type Arch, type Platform, thisPlatform } from "../host/platform.ts";
import { run } from "../host/process.ts";
import { findProgram, type Program } from "../host/program.ts";
import { readFact, writeFact } from "../store/fact.ts";

/** QEMU for one architecture, as installed on this host. */
export interface QemuInstallation {
  /** The absolute path of qemu-system-<arch>. */
  program: string;
  /** For example `7.2.22`. */
  version: string;
  major: number;
  minor: number;
  /** Tells one installed binary from another: path, size and time. */
  build: string;
}

const OLDEST = { major: 7, minor: 2 };

const versionFact = z.object({ build: z.string(), version: z.string() });

/** Finds QEMU for a guest architecture; `host_missing` when absent or older than 7.2. */
export async function findQemu(
  context: Context,
  arch: Arch,
  platform: Platform = thisPlatform(),
): Promise<QemuInstallation> {
  const program = await findProgram(platform, `qemu-system-${arch}`);
  if (!program) {
    throw new NidoError(
      "host_missing",
      `QEMU for ${arch} guests is not installed: qemu-system-${arch} is not on PATH`,
      { hint: await installCommand(platform, [`qemu-${arch}`]) },
    );
  }
  const version = await knownVersion(context, arch, program) ??
    await askVersion(context, arch, program);
  const [major, minor] = version.split(".").map(Number) as [number, number];
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
    throw new NidoError(
      "host_missing",
      `QEMU ${version} is too old: Nido needs ${OLDEST.major}.${OLDEST.minor} or newer`,
      {
        hint: await installCommand(platform, [`qemu-${arch}`]),
        details: { program: program.path, version },
      },
    );
  }
  return { program: program.path, version, major, minor, build: buildOf(program) };
}

/** Finds qemu-img, and gives its absolute path. */
export async function findQemuImg(
  _context: Context,
  platform: Platform = thisPlatform(),
): Promise<string> {
  const program = await findProgram(platform, "qemu-img");
  if (program) return program.path;
  throw new NidoError(
    "host_missing",
    "QEMU's disk tool is not installed: qemu-img is not on PATH",
    { hint: await installCommand(platform, ["qemu-img"]) },
  );
}

function buildOf({ path, sizeBytes, modifiedAt }: Program): string {
  return `${path} ${sizeBytes} ${modifiedAt}`;
}

async function knownVersion(context: Context, arch: Arch, program: Program) {
  const fact = await readFact(context.home, `qemu-${arch}`, versionFact);
  return fact?.build === buildOf(program) ? fact.version : undefined;
}

async function askVersion(context: Context, arch: Arch, program: Program): Promise<string> {
  const { stdout } = await run(program.path, ["--version"], {
    signal: context.signal,
    timeoutMs: 20_000,
  });
  const line = new TextDecoder().decode(stdout).split("\n")[0]!.trim();
  const version = /version (\d+\.\d+(?:\.\d+)?)/.exec(line)?.[1];
  if (!version) {
    throw new NidoError(
      "tool_failed",
      `Cannot tell QEMU's version: ${program.path} printed ${JSON.stringify(line)}`,
      { hint: `${program.path} --version` },
    );
  }
  await writeFact(context.home, `qemu-${arch}`, { build: buildOf(program), version });
  return version;
}
