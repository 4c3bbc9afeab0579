import { commandLines, sendSignal } from "../host/process.ts";

/** Reads the pids that QEMU wrote and keeps those that are QEMU running with that very pid file. */
export async function livingMachines(pidFiles: string[]): Promise<Map<string, number>> {
  const claimed = new Map<string, number>();
  await Promise.all(pidFiles.map(async (pidFile) => {
    const pid = await readPid(pidFile);
    if (pid !== undefined) claimed.set(pidFile, pid);
  }));
  const lines = await commandLines([...claimed.values()]);
  for (const [pidFile, pid] of claimed) {
    if (!isMachine(lines.get(pid), pidFile)) claimed.delete(pidFile);
  }
  return claimed;
}

/** The pid of the QEMU that wrote this pid file, if it still lives. */
export async function livingMachine(pidFile: string): Promise<number | undefined> {
  return (await livingMachines([pidFile])).get(pidFile);
}

/** Ends the QEMU that wrote this pid file; a pid that is somebody else's now never gets a signal. */
export async function killMachine(pidFile: string): Promise<void> {
  const pid = await livingMachine(pidFile);
  if (pid === undefined) return;
  await sendSignal(pid, "KILL");
  while (await livingMachine(pidFile) !== undefined) await pause(20);
}

/** Whether a QEMU once wrote this pid file and has not removed it, as it does at a clean end. */
export async function hasPidFile(pidFile: string): Promise<boolean> {
  return await readPid(pidFile) !== undefined;
}

// The pid file's path on the command line proves more than a start time would: it survives clock
// changes, and no two machines of a host share it.
function isMachine(commandLine: string | undefined, pidFile: string): boolean {
  if (!commandLine) return false;
  const [program = ""] = commandLine.split(" ", 1);
  return /(^|[/\\])qemu-system-[a-z0-9_]+(\.exe)?$/.test(program) &&
    commandLine.includes(` -pidfile ${pidFile} `);
}

async function readPid(pidFile: string): Promise<number | undefined> {
  try {
    const pid = Number.parseInt(await Deno.readTextFile(pidFile), 10);
    return pid > 1 ? pid : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return;
    throw error;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
