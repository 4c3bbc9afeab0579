import { NidoError } from "../errors.ts";
import type { Qmp } from "./qmp.ts";

const MARK = "was-paused";
const CANCEL_MS = 10_000;

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
  if (!wasPaused) {
    await qmp.execute("cont");
    return "running";
  }
  // Only from running does QEMU (7.2) get to paused: said in one breath, the guest hardly moves.
  await qmp.executeAtOnce(["cont"], ["stop"]);
  await noteStillness(qmp, false);
  return "paused";
}

/**
 * Gives up writing a machine's state, whoever began it and however far that is; the machine goes on,
 * or is paused when it was.
 */
export async function abandonState(qmp: Qmp): Promise<"running" | "paused"> {
  await qmp.execute("migrate_cancel");
  const deadline = performance.now() + CANCEL_MS;
  for (;;) {
    const { status } = await qmp.execute<{ status: string }>("query-status");
    if (status === "postmigrate") return await letGo(qmp);
    if (status === "running" || status === "paused") return status;
    // QEMU (7.2) lets a machine that ran go on by itself, a little after it was told to cancel.
    if (performance.now() > deadline) {
      throw new NidoError("tool_failed", `QEMU does not give up writing its state: ${status}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function hasMark(qmp: Qmp): Promise<boolean> {
  const devices = await qmp.execute<{ label: string }[]>("query-chardev");
  return devices.some(({ label }) => label === MARK);
}
