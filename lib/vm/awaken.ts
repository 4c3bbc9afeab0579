import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import type { ReaderLink } from "../guest/reader.ts";
import { launch, type Launched, type Manner } from "./launch.ts";
import { waitForReady } from "./ready.ts";
import { renewed } from "./renewal.ts";
import type { SoundVm, Wake } from "./vm.ts";

/**
 * Starts or wakes a VM whose lock the caller holds. Where its memory can't be loaded, the hint is what
 * goes `without` it.
 */
export async function launchOrTell(
  context: Context,
  vm: SoundVm,
  without: string,
  manner?: Manner,
): Promise<Launched> {
  try {
    return await launch(context, vm, manner);
  } catch (error) {
    const { code, message, details } = toNidoError(error);
    if (code !== "integrity" || !vm.record.wake) throw error;
    throw new NidoError(code, `Cannot wake VM "${vm.name}" from its memory: ${message}`, {
      hint: without,
      details,
      cause: error,
    });
  }
}

/** What a VM that was launched is waited for. */
export interface Awakening {
  /** What it woke from, if it did. */
  wake?: Wake;
  renewing?: ReaderLink;
  /** How long one that boots may take until it is ready; absent: it is not waited for. */
  readySeconds?: number;
}

/** Waits until a woken guest was told the time, or a booting one is ready; gives its problems. */
export async function settled(
  context: Context,
  vm: SoundVm,
  { wake, renewing, readySeconds }: Awakening,
): Promise<string[]> {
  if (wake) return await renewed(context, vm, wake, renewing);
  if (readySeconds !== undefined) await waitForReady(context, vm, readySeconds);
  return [];
}
