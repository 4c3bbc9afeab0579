import type { Context } from "../context.ts";
import { toNidoError } from "../errors.ts";
import { setTimeByAgent } from "../guest/agent.ts";
import { ReaderLink } from "../guest/reader.ts";
import { isHeard } from "./heard.ts";
import { pendingRenewal, renewedAt } from "./renewal.ts";
import { socketPath, type SoundVm, withMonitor } from "./vm.ts";

const AGENT_MS = 3_000;

/**
 * Lets a paused guest go on and tells it the time, which stood still for it; a guest whose waking was
 * interrupted learns who it is as well. Gives what went wrong with that.
 */
export async function goOn(context: Context, vm: SoundVm): Promise<string[]> {
  const letGo = () => withMonitor(context, vm, "work", (qmp) => qmp.execute("cont"));
  return await toldAround(context, vm, letGo);
}

/** Tells a guest the time that stood still for a moment; gives what went wrong with that. */
export async function tellTime(context: Context, vm: SoundVm): Promise<string[]> {
  return await toldAround(context, vm, () => Promise.resolve());
}

async function toldAround(
  context: Context,
  vm: SoundVm,
  letGo: () => Promise<unknown>,
): Promise<string[]> {
  if (await isHeard(context, vm, "hatch")) {
    using link = await ReaderLink.open(await socketPath(context, vm, "hatch"));
    await link.send(await pendingRenewal(context, vm));
    await letGo();
    return await renewedAt(vm, link).catch(late);
  }
  const hasAgent = await isHeard(context, vm, "agent");
  await letGo();
  if (!hasAgent) return [LATE];
  const agent = await socketPath(context, vm, "agent");
  return await setTimeByAgent(agent, context.now(), AGENT_MS).then(() => [], late);
}

const LATE = "its clock is late by the time that it stood still";

function late(error: unknown): string[] {
  return [`${LATE}: ${toNidoError(error).message}`];
}
