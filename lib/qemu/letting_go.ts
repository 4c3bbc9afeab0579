import type { Qmp } from "./qmp.ts";

const MARK = "was-paused";

/**
 * Remembers, inside the machine itself, whether it stands still before its state is written: QEMU
 * (7.2) forgets that, and whoever writes the state may die.
 */
export async function noteStillness(qmp: Qmp, isPaused: boolean): Promise<void> {
  const isNoted = await hasMark(qmp);
  if (isPaused && !isNoted) {
    await qmp.execute("chardev-add", { id: MARK, backend: { type: "null", data: {} } });
  }
  if (!isPaused && isNoted) await qmp.execute("chardev-remove", { id: MARK });
}

/** Lets a machine go on whose state was written; one that was paused before is paused again. */
export async function letGo(qmp: Qmp): Promise<"running" | "paused"> {
  const wasPaused = await hasMark(qmp);
  await qmp.execute("cont");
  if (!wasPaused) return "running";
  await qmp.execute("stop");
  await noteStillness(qmp, false);
  return "paused";
}

async function hasMark(qmp: Qmp): Promise<boolean> {
  const devices = await qmp.execute<{ label: string }[]>("query-chardev");
  return devices.some(({ label }) => label === MARK);
}
