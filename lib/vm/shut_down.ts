import { join } from "node:path";
import type { Context } from "../context.ts";
import { toNidoError } from "../errors.ts";
import { shutDownByAgent } from "../guest/agent.ts";
import { livingMachine } from "../qemu/qemu_process.ts";
import { vmFiles } from "../store/files.ts";
import { collectConsole } from "./console.ts";
import { socketPath, type SoundVm, withMonitor } from "./vm.ts";

/** What made a VM stop: its ACPI button, its guest agent, or that its power was cut. */
export const STOPPED_BY = ["acpi", "agent", "forced"] as const;

/** What made a VM stop. */
export type StoppedBy = (typeof STOPPED_BY)[number];

/** Seconds that a guest may take to shut down before its power is cut. */
export const STOP_SECONDS = 30;

const LOOK_MS = 100;
const ASK_AGAIN_MS = 5_000;
const AGENT_MS = 2_000;
const QUIT_MS = 10_000;

/**
 * Asks the guest to shut down and waits for it: by the ACPI button, and after a third of the time,
 * when it still runs services as before, by its agent as well. A guest that does neither is forced.
 */
export async function shutDown(
  context: Context,
  vm: SoundVm,
  timeoutSeconds: number,
): Promise<StoppedBy> {
  const pidFile = join(vm.folder, vmFiles.pid);
  const began = performance.now();
  const deadline = began + timeoutSeconds * 1000;
  if (vm.state === "paused") await withMonitor(context, vm, "work", (qmp) => qmp.execute("cont"));
  context.report({ stage: "stop", message: `"${vm.name}" is folding its wings` });
  // A guest that is still booting sees neither the button nor the agent, so both are tried again.
  let pressAt = began;
  let agentAt = began + (deadline - began) / 3;
  let how: StoppedBy = "acpi";
  while (await livingMachine(pidFile) !== undefined) {
    context.signal.throwIfAborted();
    const now = performance.now();
    if (now > deadline) {
      const message =
        `"${vm.name}" did not shut down within ${timeoutSeconds} s: cutting its power`;
      context.report({ stage: "stop", message });
      await cutPower(context, vm);
      return "forced";
    }
    if (now >= pressAt) {
      await pressButton(context, vm);
      pressAt = now + ASK_AGAIN_MS;
    } else if (now >= agentAt) {
      const path = await socketPath(context, vm, "agent");
      if (await askAgent(path, Math.min(AGENT_MS, deadline - now))) how = "agent";
      agentAt = now + ASK_AGAIN_MS;
    }
    await keepConsole(context, vm);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return how;
}

/** Ends a VM at once by its monitor, if that answers; what its guest said last is kept. */
export async function cutPower(context: Context, vm: SoundVm): Promise<void> {
  const pidFile = join(vm.folder, vmFiles.pid);
  await keepConsole(context, vm);
  if (vm.isDeaf) return;
  const quit = await withMonitor(context, vm, "work", (qmp) => qmp.execute("quit"))
    .then(() => "told", (error) => toNidoError(error).code);
  // A QEMU that hangs hears nothing; any other one is let write out its disk.
  const deadline = performance.now() + (quit === "timeout" ? 0 : QUIT_MS);
  while (await livingMachine(pidFile) !== undefined && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function pressButton(context: Context, vm: SoundVm): Promise<void> {
  try {
    await withMonitor(context, vm, "work", (qmp) => qmp.execute("system_powerdown"));
  } catch (error) {
    // It ended meanwhile, or it hangs and is forced when the time is over.
    if (context.signal.aborted) throw error;
  }
}

/** Whether the agent took it. A guest without one, or whose agent has ended already, is waited for. */
async function askAgent(path: string, deadlineMs: number): Promise<boolean> {
  try {
    await shutDownByAgent(path, deadlineMs);
    return true;
  } catch {
    return false;
  }
}

async function keepConsole(context: Context, vm: SoundVm): Promise<void> {
  if (vm.isDeaf) return;
  await collectConsole(context, vm).catch(() => {}); // busy, a full disk, QEMU has ended: it must stop all the same
}
