import { NidoError } from "../errors.ts";
import type { Qmp } from "./qmp.ts";

const WAS_PAUSED = "was-paused";
const HELD = "held-while-copied";
const CANCEL_MS = 10_000;
const FINALIZE_MS = 10_000;

/**
 * Remembers, inside the machine itself, whether it stands still before its state is written: QEMU
 * (7.2) forgets that, and whoever writes the state may die.
 */
export async function noteStillness(qmp: Qmp, isPaused: boolean): Promise<void> {
  const isNoted = await hasMark(qmp, WAS_PAUSED);
  if (isPaused && !isNoted) await qmp.execute(...mark(WAS_PAUSED));
  if (!isPaused && isNoted) await qmp.execute("chardev-remove", { id: WAS_PAUSED });
}

/**
 * Makes a running machine stand still while its memory is copied; it knows that this is why. Killed
 * in between, we leave it the mark: a machine that runs means nothing by it.
 */
export async function holdStill(qmp: Qmp): Promise<void> {
  if (!await isHeld(qmp)) await qmp.execute(...mark(HELD));
  await qmp.execute("stop");
}

/** Makes a running machine stand still until somebody wants it to go on. */
export async function pause(qmp: Qmp): Promise<void> {
  if (await isHeld(qmp)) await qmp.execute("chardev-remove", { id: HELD });
  await qmp.execute("stop");
}

/** Whether a machine that stands still does so only because its memory is being copied, or was. */
export async function isHeld(qmp: Qmp): Promise<boolean> {
  return await hasMark(qmp, HELD);
}

/** Lets a machine go on whose state was written; one that was paused before is paused again. */
export async function letGo(qmp: Qmp): Promise<"running" | "paused"> {
  await finalized(qmp);
  if (await isHeld(qmp)) {
    await qmp.execute("cont");
    await qmp.execute("chardev-remove", { id: HELD });
    return "running";
  }
  if (!await hasMark(qmp, WAS_PAUSED)) {
    await qmp.execute("cont");
    return "running";
  }
  // Only from running does QEMU (7.2) get to paused: said in one breath, the guest hardly moves. Killed
  // in between, QEMU forgets the second, and the guest goes on.
  await qmp.executeAtOnce(["cont"], ["stop"]);
  await noteStillness(qmp, false);
  return "paused";
}

// QEMU (7.2) tells that its state is written a little before it takes `cont` again.
async function finalized(qmp: Qmp): Promise<void> {
  const deadline = performance.now() + FINALIZE_MS;
  while (await statusOf(qmp) === "finish-migrate" && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function statusOf(qmp: Qmp): Promise<string> {
  return (await qmp.execute<{ status: string }>("query-status")).status;
}

/**
 * Gives up writing a machine's state, whoever began it and however far that is; the machine goes on,
 * or is paused when it was.
 */
export async function abandonState(qmp: Qmp): Promise<"running" | "paused"> {
  await qmp.execute("migrate_cancel");
  const deadline = performance.now() + CANCEL_MS;
  for (;;) {
    const status = await statusOf(qmp);
    if (status === "postmigrate" || (status === "paused" && await isHeld(qmp))) {
      return await letGo(qmp);
    }
    if (status === "running" || status === "paused") return status;
    // QEMU (7.2) lets a machine that ran go on by itself, a little after it was told to cancel.
    if (performance.now() > deadline) {
      throw new NidoError("tool_failed", `QEMU does not give up writing its state: ${status}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function mark(id: string): [string, Record<string, unknown>] {
  return ["chardev-add", { id, backend: { type: "null", data: {} } }];
}

async function hasMark(qmp: Qmp, id: string): Promise<boolean> {
  const devices = await qmp.execute<{ label: string }[]>("query-chardev");
  return devices.some(({ label }) => label === id);
}
