import { dirname, join } from "node:path";
import { NidoError } from "../../errors.ts";
import type { HostOs } from "../../host/platform.ts";
import { run } from "../../host/process.ts";
import { isDiskFull } from "../../image/space_guard.ts";
import { retireLock, tryLockFile } from "../../store/lock.ts";
import { removeIfThere, syncFolder } from "../../store/record.ts";

const START_MS = 60_000;

/** An installed binary, and the files beside it that are Nido's too. */
export interface Binary {
  path: string;
  /** The one that it took the place of. */
  previous: string;
  os: HostOs;
}

/** The binary at a path. */
export function binaryAt(path: string, os: HostOs): Binary {
  const ending = os === "windows" ? ".exe" : "";
  return { path, previous: join(dirname(path), `nido.previous${ending}`), os };
}

/** What an interrupted replacement may leave in the binary's folder. */
export function leftoversOf({ path }: Binary): string[] {
  return [".nido.new", ".nido.kept", ".nido.update.lock"].map((name) => join(dirname(path), name));
}

/** The version that a binary says it is; undefined where it doesn't run. */
export async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ["--version"], { timeoutMs: START_MS });
    return /^nido (\S+)\n$/.exec(new TextDecoder().decode(stdout))?.[1];
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined; // not of this system, damaged, or on a file system that runs nothing
  }
}

/**
 * Puts another program in the place of a binary and keeps that one beside it. It must start here and
 * say that it is this version. Killed at any moment, there is the old one or the new one, whole.
 */
export async function replaceBinary(
  binary: Binary,
  source: string,
  version: string,
): Promise<void> {
  const [candidate = "", kept = "", lockFile = ""] = leftoversOf(binary);
  const lock = await tryLockFile(lockFile, "update Nido").catch((error) => {
    throw unwritable(binary, error);
  });
  if (!lock) {
    throw new NidoError("busy", `Cannot update ${binary.path}: another command updates it`, {
      hint: "nido version",
    });
  }
  try {
    await removeIfThere(candidate); // of one that was killed
    await removeIfThere(kept);
    await copyWhole(source, candidate);
    const said = await versionOf(candidate);
    if (said !== version) {
      const fact = said === undefined ? "it does not start here" : `it is ${said}`;
      throw new NidoError("integrity", `Cannot install Nido ${version}: ${fact}`, {
        hint: "nido version",
      });
    }
    if (binary.os === "windows") await swapWhileRunning(binary, candidate, kept);
    else await swap(binary, candidate, kept);
    await syncFolder(dirname(binary.path));
  } catch (error) {
    throw unwritable(binary, error);
  } finally {
    await removeIfThere(candidate).catch(() => {}); // the next update removes it
    await retireLock(lock);
  }
}

/** There is a binary at every moment: the old one is linked to its second name before it loses its first. */
async function swap({ path, previous }: Binary, candidate: string, kept: string): Promise<void> {
  try {
    await Deno.link(path, kept);
  } catch (error) {
    if (isDiskFull(error)) throw error;
    await copyWhole(path, kept); // a file system without hard links
  }
  await Deno.rename(kept, previous);
  await removeIfThere(kept); // POSIX: between two names of one file a rename does nothing
  await Deno.rename(candidate, path);
}

/** Windows lets a running program be renamed, and neither overwritten nor removed. */
async function swapWhileRunning(
  { path, previous }: Binary,
  candidate: string,
  kept: string,
): Promise<void> {
  await Deno.rename(previous, kept).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // the first update
  });
  await Deno.rename(path, previous);
  try {
    await Deno.rename(candidate, path);
  } catch (error) {
    await Deno.rename(previous, path);
    throw error;
  }
  await removeIfThere(kept).catch(() => {}); // it still runs; the next update removes it
}

async function copyWhole(from: string, to: string): Promise<void> {
  using source = await Deno.open(from);
  using target = await Deno.open(to, { write: true, createNew: true, mode: 0o755 });
  await source.readable.pipeTo(target.writable, { preventClose: true });
  await target.syncData();
}

const MAY_NOT = ["EACCES", "EPERM", "EROFS"];

function unwritable({ path }: Binary, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const folder = dirname(path);
  if (isDiskFull(error)) {
    return new NidoError("exhausted", `Cannot update ${path}: ${folder} has no room for it`, {
      hint: `df -h ${folder}`,
      cause: error,
    });
  }
  if (!MAY_NOT.includes(code)) return error;
  const fact = code === "EROFS" ? "is on a read-only file system" : "may not be written by you";
  return new NidoError("denied", `Cannot update ${path}: ${folder} ${fact}`, {
    hint: `ls -ld ${folder}`,
    cause: error,
  });
}
