import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { type FirstBoot, type ReadyStage, waitUntilReady } from "../guest/readiness.ts";
import { collectConsole, lastConsoleLines } from "./console.ts";
import { sshTarget } from "./reach.ts";
import { findVm, type SoundVm } from "./vm.ts";

/** Seconds that each stage of getting ready took. */
export interface ReadyTimings {
  bootSeconds?: number;
  readySeconds?: number;
}

const LOOK_MS = 1_000;
const TOLD_LINES = 12;

/**
 * Waits until a running VM is ready. On failure the error says which stage it was in and carries the
 * last console lines; the VM is left as it is.
 */
export async function waitForReady(
  context: Context,
  vm: SoundVm,
  timeoutSeconds: number,
): Promise<{ firstBoot: FirstBoot; timings: ReadyTimings }> {
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
  const gone = new AbortController();
  const signal = AbortSignal.any([context.signal, timeout, gone.signal]);
  const timings: ReadyTimings = {};
  let stage: ReadyStage = "boot";
  let enteredAt = performance.now();
  const enter = (next: ReadyStage) => {
    if (next === "ready") timings.bootSeconds = seconds(enteredAt);
    stage = next;
    enteredAt = performance.now();
    const message = next === "boot" ? "booting the guest" : "waiting for first boot to finish";
    context.report({ stage, message: `"${vm.name}": ${message}` });
  };
  const watch = watchMachine(context, vm, signal, (state) => gone.abort(state));
  try {
    const target = await sshTarget(context, vm);
    const firstBoot = await waitUntilReady({ ...context, signal }, target, enter);
    timings.readySeconds = seconds(enteredAt);
    return { firstBoot, timings };
  } catch (error) {
    if (context.signal.aborted) throw error;
    const lines = await lastConsoleLines(context, vm, TOLD_LINES);
    const told = { stage, consoleLines: lines, cause: error };
    if (gone.signal.aborted) throw endedEarly(vm, String(gone.signal.reason), told);
    if (timeout.aborted) throw late(vm, timeoutSeconds, told);
    throw failed(error, told);
  } finally {
    gone.abort("over");
    await watch;
  }
}

interface Told {
  stage: string;
  consoleLines: string[];
  cause: unknown;
}

// Collects the console while the guest boots, so that what a dying guest said last is kept, and
// notices when the machine ends, is paused or deleted under us.
async function watchMachine(
  context: Context,
  vm: SoundVm,
  signal: AbortSignal,
  isGone: (state: string) => void,
): Promise<void> {
  while (!signal.aborted) {
    await collectConsole(context, vm).catch(() => {}); // a busy console is read the next time
    const now = await findVm(context, vm.name).catch(() => vm);
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

function endedEarly(vm: SoundVm, state: string, told: Told): NidoError {
  return new NidoError(
    "wrong_state",
    `VM "${vm.name}" did not get ready: it was ${state} in stage ${told.stage}`,
    {
      hint: `nido logs ${vm.name}`,
      details: { stage: told.stage, consoleLines: told.consoleLines },
    },
  );
}

function late(vm: SoundVm, timeoutSeconds: number, told: Told): NidoError {
  return new NidoError(
    "timeout",
    `VM "${vm.name}" was not ready within ${timeoutSeconds} s: it was in stage ${told.stage}`,
    {
      hint: `nido wait ${vm.name}, or look: nido logs ${vm.name}`,
      details: { stage: told.stage, consoleLines: told.consoleLines },
      cause: told.cause,
    },
  );
}

function failed(error: unknown, told: Told): NidoError {
  const known = toNidoError(error);
  const details = { ...known.details, stage: told.stage, consoleLines: told.consoleLines };
  return new NidoError(known.code, known.message, { hint: known.hint, details, cause: error });
}

function seconds(since: number): number {
  return Math.round(performance.now() - since) / 1000;
}
