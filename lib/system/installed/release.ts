import type { Context } from "../../context.ts";
import { boundedText, follow, isClosedLine } from "../../download/follow.ts";
import { NidoError, toNidoError } from "../../errors.ts";
import type { HostOs, Platform } from "../../host/platform.ts";

const MOST_BYTES = 64 * 1024;
const PATIENCE_MS = 10_000;
const SUMS = "SHA256SUMS";
const SCRIPT = /^nido-(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)\.js$/;
const SYSTEMS: Record<HostOs, string> = { linux: "linux", darwin: "macos", windows: "windows" };

/** A published version of Nido: the digests of its files, and where they are. */
export interface Release {
  version: string;
  /** By file name, as `sha256:...`. */
  digests: Map<string, string>;
  /** The address of one of its files. */
  address(name: string): string;
}

/** How a release calls its binary for a system. */
export function binaryName(version: string, { os, arch }: Pick<Platform, "os" | "arch">): string {
  return `nido-${version}-${SYSTEMS[os]}-${arch}${os === "windows" ? ".exe" : ""}`;
}

/** Asks a release server for a version, by default the newest. */
export async function openRelease(
  context: Context,
  from: string,
  version?: string,
): Promise<Release> {
  const place = from.replace(/\/+$/, "");
  const named = version === undefined ? "latest/download" : `download/v${version}`;
  const address = `${place}/${named}/${SUMS}`;
  context.report({ stage: "release", message: `Asking ${address}` });
  const digests = readSums(await fetchText(context, address));
  const found = versionIn(digests.keys());
  if (found === undefined || version !== undefined && found !== version) {
    throw new NidoError("integrity", `Cannot read ${address}: it is not of ${told(version)}`);
  }
  return { version: found, digests, address: (name) => `${place}/download/v${found}/${name}` };
}

function told(version?: string): string {
  return version === undefined ? "a release of Nido" : `Nido ${version}`;
}

function readSums(text: string): Map<string, string> {
  const lines = text.matchAll(/^([0-9a-f]{64}) [ *]([\w.+-]+)$/gm);
  return new Map(Array.from(lines, ([, digest, name]) => [name!, `sha256:${digest}`]));
}

/** Every file of a release is called by its version; a list that holds two is of none. */
function versionIn(names: Iterable<string>): string | undefined {
  const versions = new Set(Array.from(names, (name) => SCRIPT.exec(name)?.[1]));
  versions.delete(undefined);
  return versions.size === 1 ? [...versions][0] : undefined;
}

async function fetchText(context: Context, address: string): Promise<string> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    const signal = AbortSignal.any([context.signal, patience]);
    const { response } = await follow(address, { signal }, refuseOpenLine);
    if (!response.ok) {
      await response.body?.cancel();
      throw unreachable(address, `the server answered ${response.status}`, response.status);
    }
    const text = await boundedText(response, MOST_BYTES);
    if (text !== undefined) return text;
    throw new NidoError("integrity", `Cannot read ${address}: it is larger than 64 KiB`);
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof NidoError || error instanceof Deno.errors.NotCapable) throw error;
    const fact = patience.aborted
      ? `no answer in ${PATIENCE_MS / 1000} s`
      : toNidoError(error).message.replace(/^Unexpected: /, "");
    throw unreachable(address, fact);
  }
}

/** What is fetched there decides what runs here, so nobody on the way may write in it. */
export function refuseOpenLine(address: string): void {
  if (isClosedLine(address)) return;
  throw new NidoError("denied", `Cannot take Nido from ${address}: it is not https`, {
    hint: "nido update --check",
  });
}

function unreachable(address: string, fact: string, status?: number): NidoError {
  const code = status === 404 ? "not_found" : "unavailable";
  return new NidoError(code, `Cannot fetch ${address}: ${fact}`, {
    hint: "nido update --check",
  });
}
