import { join } from "node:path";
import type { Copy } from "../../lib/system/installed/copy.ts";
import { binaryName } from "../../lib/system/installed/release.ts";
import { sha256 } from "../../lib/sha256.ts";
import type { Served } from "./image_server.ts";

/** The system for which tests release. */
export const system = { os: "linux", arch: "x86_64" } as const;

/** A program that says it is a version of Nido, and does nothing else. */
export function stub(version: string): string {
  return `#!/bin/sh\necho "nido ${version}"\n`;
}

/** What a release server has of a version. */
export async function releaseFiles(
  version: string,
  { binary = stub(version), on = system, isLatest = true }: {
    binary?: string;
    on?: Copy["platform"];
    isLatest?: boolean;
  } = {},
): Promise<Record<string, Served>> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const files = { [binaryName(version, on)]: binary, [`nido-${version}.js`]: "" };
  const lines = await Promise.all(
    Object.entries(files).map(async ([name, text]) => `${await sha256(text)}  ${name}\n`),
  );
  const sums = { bytes: bytes(lines.join("")) };
  const served = Object.entries({ ...files }).map(([name, text]) =>
    [`download/v${version}/${name}`, { bytes: bytes(text) }] as const
  );
  return {
    ...Object.fromEntries(served),
    [`download/v${version}/SHA256SUMS`]: { ...sums },
    ...(isLatest ? { "latest/download/SHA256SUMS": { ...sums } } : {}),
  };
}

/** An installed binary of a version, in a folder of its own. */
export async function installed(folder: string, version: string): Promise<Copy> {
  await Deno.mkdir(folder, { recursive: true });
  const path = join(folder, "nido");
  await Deno.writeTextFile(path, stub(version), { mode: 0o755 });
  return { version, kind: "binary", path, platform: system };
}
