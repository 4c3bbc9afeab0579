import { NidoError } from "../errors.ts";
import { isSameFile } from "../store/same_file.ts";
import { commandLines, hasEnded, sendSignal } from "../host/process.ts";

/** Reads the pids that QEMU wrote and keeps those that are QEMU running with that very pid file. */
export async function livingMachines(pidFiles: string[]): Promise<Map<string, number>> {
  const claimed = new Map<string, number>();
  await Promise.all(pidFiles.map(async (pidFile) => {
    const pid = await readPid(pidFile);
    if (pid !== undefined) claimed.set(pidFile, pid);
  }));
  return await provenMachines(claimed);
}

/** The pid of the QEMU that wrote this pid file, if it still lives. */
export async function livingMachine(pidFile: string): Promise<number | undefined> {
  return (await livingMachines([pidFile])).get(pidFile);
}

/** Ends the QEMU that wrote this pid file; a pid that is somebody else's now never gets a signal. */
export async function killMachine(pidFile: string): Promise<void> {
  await endProven(pidFile, await readPid(pidFile));
}

/**
 * Ends the QEMU that was started with `pidFile` and whose pid is now to be read in `movedTo`, because
 * its folder was moved.
 */
export async function killMovedMachine(pidFile: string, movedTo: string): Promise<void> {
  await endProven(pidFile, await readPid(movedTo));
}

/** What became of the QEMU that wrote a pid file: it lives, or died, or removed the file at its end. */
export type Fate = { pid: number } | "died" | "none";

/** What became of the QEMU that wrote this pid file, if one did. */
export async function fateOf(pidFile: string): Promise<Fate> {
  for (;;) {
    const pid = await readPid(pidFile);
    if (pid === undefined) return "none";
    if ((await provenMachines(new Map([[pidFile, pid]]))).size > 0) return { pid };
    // Race: it may have ended cleanly since we read, or another one may have been started.
    if (await readPid(pidFile) === pid) return "died";
  }
}

async function endProven(pidFile: string, pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  const claimed = new Map([[pidFile, pid]]);
  if ((await provenMachines(claimed)).size === 0) return;
  await sendSignal(pid, "KILL");
  const deadline = performance.now() + END_MS;
  // Until the last of its threads is gone it holds its disk, under a name that proves nothing more.
  while (!await hasEnded(pid)) {
    if (performance.now() > deadline) {
      throw new NidoError("busy", `QEMU (pid ${pid}) was killed and does not end`, {
        hint: `ps -p ${pid}`,
      });
    }
    await pause(20);
  }
}

const END_MS = 30_000;

async function provenMachines(claimed: Map<string, number>): Promise<Map<string, number>> {
  const proven = new Map<string, number>();
  const lines = await commandLines([...claimed.values()]);
  for (const [pidFile, pid] of claimed) {
    if (await isMachine(lines.get(pid), pidFile)) proven.set(pidFile, pid);
  }
  return proven;
}

// The pid file on the command line proves more than a start time would: it survives clock changes,
// and no two machines of a host share it.
async function isMachine(commandLine: string | undefined, pidFile: string): Promise<boolean> {
  const shape = /^(?:\S*[/\\])?qemu-system-[a-z0-9_]+(?:\.exe)? .*? -pidfile (.+?) -S /;
  const named = shape.exec(commandLine ?? "")?.[1];
  if (named === undefined) return false;
  return await isSameFile(named, pidFile);
}

/** The pid that a pid file names, whatever process that is now. */
export async function readPid(pidFile: string): Promise<number | undefined> {
  try {
    const text = (await Deno.readTextFile(pidFile)).trim();
    const pid = /^\d{1,10}$/.test(text) ? Number(text) : 0;
    return pid > 1 && pid < 2 ** 31 ? pid : undefined; // ps refuses them all for one too large
  } catch (error) {
    const { NotFound, NotADirectory, IsADirectory } = Deno.errors;
    const isNone = [NotFound, NotADirectory, IsADirectory].some((kind) => error instanceof kind);
    if (isNone) return undefined;
    throw error;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
