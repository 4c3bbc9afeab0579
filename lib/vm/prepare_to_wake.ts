import type { Context } from "../context.ts";
import { toNidoError } from "../errors.ts";
import { waitForBanner } from "../guest/banner.ts";
import { connectAgain } from "../guest/connect_again.ts";
import { installReader } from "../guest/reader.ts";
import { isHeard } from "./heard.ts";
import { sshTarget } from "./reach.ts";
import type { SoundVm } from "./vm.ts";

const LATE = "its clock will be late when it wakes";
const GREETS_MS = 2_000;
const CONNECT_MS = 20_000;

/**
 * Leaves the program in a running guest that will tell it the time when it wakes from frozen memory.
 * What stands in the way is told: the guest then wakes with the time at which it was frozen.
 */
export async function prepareToWake(context: Context, vm: SoundVm): Promise<string[]> {
  try {
    if (await isHeard(context, vm, "hatch")) return [];
    if (vm.state === "paused") return [`${LATE}: it stands still`];
    await leaveReader(context, vm);
    return [];
  } catch (error) {
    if (context.signal.aborted) throw error;
    return [`${LATE}: ${toNidoError(error).message}`];
  }
}

/** Leaves the program in a running guest; throws what stands in the way. */
export async function leaveReader(context: Context, vm: SoundVm): Promise<void> {
  const target = await sshTarget(context, vm);
  // A guest that has no SSH server, or none yet, is not waited for.
  const timeoutMs = await isHeard(context, vm, "agent") ? CONNECT_MS : GREETS_MS;
  await waitForBanner(target.port, context.signal, { name: vm.name, timeoutMs });
  await using session = await connectAgain(context, target, { timeoutMs: CONNECT_MS });
  await installReader(session);
}
