import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import type { BootStage } from "../guest/boot_stage.ts";
import { type FirstBoot, firstBootLines, waitUntilReady } from "../guest/readiness.ts";
import { BootProgress } from "./boot_progress.ts";
import { BootWatch } from "./boot_watch.ts";
import { lastConsoleLines } from "./console.ts";
import { sshTarget } from "./reach.ts";
import { readVm, type SoundVm } from "./vm.ts";

/** Seconds that each stage of getting ready took. */
export interface ReadyTimings {
  bootSeconds?: number;
  readySeconds?: number;
}

const LOOK_MS = 1_000;
const TOLD_LINES = 12;

/**
 * Waits until a running VM is ready. On failure the error says which stage it was in and carries the
 * last console lines; the VM is left as it is. `called` is what people know it by, where that is not its
 * name.
 */
export async function waitForReady(
  context: Context,
  vm: SoundVm,
  timeoutSeconds: number,
  called?: string,
): Promise<{ firstBoot: FirstBoot; timings: ReadyTimings }> {
  const vmCalled = called ?? `VM "${vm.name}"`;
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
  const gone = new AbortController();
  const signal = AbortSignal.any([context.signal, timeout, gone.signal]);
  const timings: ReadyTimings = {};
  const since = performance.now();
  let loggedInAt: number | undefined;
  using progress = new BootProgress(context, called ?? `"${vm.name}"`);
  const enter = (stage: BootStage) => {
    progress.reach(stage);
    if (stage !== "cloud-init") return;
    loggedInAt = performance.now();
    timings.bootSeconds = seconds(since);
  };
  const watch = watchMachine(context, vm, progress, signal, (state) => gone.abort(state));
  try {
    const target = await sshTarget(context, vm);
    const firstBoot = await waitUntilReady({ ...context, signal }, target, enter);
    timings.readySeconds = seconds(loggedInAt ?? since);
    return { firstBoot, timings };
  } catch (error) {
    if (context.signal.aborted) throw error;
    const { stage } = progress;
    const told: Told = { stage, consoleLines: await lastConsoleLines(context, vm, TOLD_LINES) };
    if (timeout.aborted && loggedInAt !== undefined) {
      told.cloudInitLines = await firstBootLines(context, await sshTarget(context, vm));
    }
    if (gone.signal.aborted) throw endedEarly(vm, vmCalled, String(gone.signal.reason), told);
    if (timeout.aborted) throw late(vm, vmCalled, timeoutSeconds, told);
    throw failed(error, told);
  } finally {
    gone.abort("over");
    await watch;
  }
}

/** What a failed wait tells besides its message. */
interface Told {
  stage: BootStage;
  consoleLines: string[];
  /** What cloud-init was doing, where it had begun. */
  cloudInitLines?: string[];
}

// Collects the console while the guest boots, so that what a dying guest said last is kept, and
// notices when the machine ends, is paused or deleted under us.
async function watchMachine(
  context: Context,
  vm: SoundVm,
  progress: BootProgress,
  signal: AbortSignal,
  isGone: (state: string) => void,
): Promise<void> {
  const boot = new BootWatch(context, vm, progress);
  while (!signal.aborted) {
    await boot.look().catch(() => {}); // what it can't read is only told less finely
    const now = await readVm(context, vm).catch(() => vm);
    if (signal.aborted) return;
    if (now?.record?.id !== vm.record.id) return isGone("deleted");
    if (now.state !== "running") return isGone(now.state);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(finish, LOOK_MS);
      signal.addEventListener("abort", finish, { once: true });
      function finish() {
        clearTimeout(timer);
        signal.removeEventListener("abort", finish);
        resolve();
      }
    });
  }
}

function endedEarly(vm: SoundVm, called: string, state: string, details: Told): NidoError {
  return new NidoError(
    "wrong_state",
    `${called} did not get ready: it was ${state} in stage ${details.stage}`,
    { hint: `nido logs ${vm.name}`, details: { ...details } },
  );
}

function late(vm: SoundVm, called: string, timeoutSeconds: number, details: Told): NidoError {
  return new NidoError(
    "timeout",
    `${called} was not ready within ${timeoutSeconds} s: it was in stage ${details.stage}`,
    { hint: `nido wait ${vm.name}, or look: nido logs ${vm.name}`, details: { ...details } },
  );
}

function failed(error: unknown, told: Told): NidoError {
  const { code, message, hint, details } = toNidoError(error);
  return new NidoError(code, message, { hint, details: { ...details, ...told }, cause: error });
}

function seconds(since: number): number {
  return Math.round(performance.now() - since) / 1000;
}
