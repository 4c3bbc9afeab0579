import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { operation } from "../operation.ts";
import { livingMachine } from "../qemu/qemu_process.ts";
import { vmFiles } from "../store/files.ts";
import { collectConsole } from "./console.ts";
import { endHalfStarted, endMachine } from "./launch.ts";
import { mustBe, mustBeSound, type SoundVm, vmField, withMonitor, withVm } from "./vm.ts";

const input = z.strictObject({
  name: vmField,
  force: z.boolean().default(false).describe(
    "Cut the power: at once, and what the guest has not written to its disk is lost",
  ),
  timeoutSeconds: z.int().min(1).max(3600).default(120).describe(
    "Seconds that the guest may take to shut down",
  ),
});

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  state: z.literal("stopped").describe("Always stopped"),
});

/** Asks the guest to shut down and waits for it; with force, ends it at once. */
export async function stop(
  context: Context,
  { name, force, timeoutSeconds }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  await withVm(context, name, "stop", async (vm) => {
    if (vm.isHalfStarted) return await endHalfStarted(vm);
    mustBe(vm, "stop", ["running", "paused"]);
    const sound = mustBeSound(vm);
    if (!vm.isDeaf) await collectConsole(context, sound).catch(() => {}); // a full disk must not stop it
    if (!force) await shutDown(context, sound, timeoutSeconds);
    else if (!vm.isDeaf) await cutPower(context, sound);
    await endMachine(sound);
  });
  return { name, state: "stopped" };
}

const LOOK_MS = 100;
const PRESS_AGAIN_MS = 5_000;

async function shutDown(context: Context, vm: SoundVm, timeoutSeconds: number): Promise<void> {
  const pidFile = join(vm.folder, vmFiles.pid);
  const deadline = performance.now() + timeoutSeconds * 1000;
  if (vm.state === "paused") await withMonitor(context, vm, "work", (qmp) => qmp.execute("cont"));
  // A guest that is still booting doesn't see the button, so it is pressed again.
  for (let pressAt = 0; await livingMachine(pidFile) !== undefined;) {
    context.signal.throwIfAborted();
    if (performance.now() > deadline) throw tooSlow(vm, timeoutSeconds);
    if (performance.now() >= pressAt) {
      context.report({ stage: "stop", message: `"${vm.name}" is folding its wings` });
      await whileItLives(
        pidFile,
        () => withMonitor(context, vm, "work", (qmp) => qmp.execute("system_powerdown")),
      );
      pressAt = performance.now() + PRESS_AGAIN_MS;
    }
    await collectConsole(context, vm).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function cutPower(context: Context, vm: SoundVm): Promise<void> {
  const pidFile = join(vm.folder, vmFiles.pid);
  const deadline = performance.now() + QUIT_MS;
  await withMonitor(context, vm, "work", (qmp) => qmp.execute("quit")).catch(() => {}); // it may hang
  while (await livingMachine(pidFile) !== undefined && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const QUIT_MS = 10_000;

async function whileItLives(pidFile: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (await livingMachine(pidFile) !== undefined) throw error;
  }
}

function tooSlow(vm: SoundVm, timeoutSeconds: number): NidoError {
  return new NidoError(
    "timeout",
    `Cannot stop VM "${vm.name}": the guest did not shut down within ${timeoutSeconds} s`,
    { hint: `nido stop ${vm.name} --force` },
  );
}

export default operation({
  name: "vm.stop",
  summary: "Shut a VM down",
  description: "Asks the guest to shut down and waits for it. Disk and settings stay.",
  effect: "change",
  input,
  output,
  positional: ["name"],
  examples: ["nido stop web", "nido stop web --force"],
  text: ({ name }) => `"${name}" is asleep`,
  run: stop,
});
