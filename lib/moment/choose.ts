import { z } from "zod";
import { readConfig } from "../config/config.ts";
import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import type { VmRecord } from "../vm/vm.ts";
import type { Base } from "./base.ts";
import { differences, type Fingerprint, fingerprintOf } from "./fingerprint.ts";
import { makeMoment, told, withTurn } from "./make.ts";
import { damage, type Moment, momentsOf, setAside } from "./moment.ts";
import { readUnfit, writeUnfit } from "./unfit.ts";

/** How a VM comes to life: from shared memory, from memory that is read in full, or by booting. */
export const rung = z.enum(["warm", "stream", "cold"]);

/** How a VM is to come to life, and why so. */
export interface Choice {
  rung: z.output<typeof rung>;
  /** The reason as the end of a sentence. */
  reason: string;
  moment?: Moment;
  /** Spent on making the base warm just now. */
  incubateSeconds?: number;
}

/** What a VM needs of a warm base. */
export interface Wanted {
  base: Base;
  record: VmRecord;
  /** Makes the base warm first when it never was; else goes cold. */
  mayIncubate: boolean;
  timeoutSeconds: number;
}

/**
 * Finds the memory that a VM can wake from, making its base warm first where that is wanted. Whatever
 * stands in the way is a reason to boot instead, except a base that does not get ready in time.
 */
export async function chooseMoment(context: Context, wanted: Wanted): Promise<Choice> {
  const { warm = "on" } = await readConfig(context);
  if (warm === "off") return cold("the setting warm is off");
  const memory = warm === "stream" ? "stream" : "shared";
  const print = await fingerprintOf(context, wanted.base.digest, wanted.record, memory);
  const found = await find(context.home, wanted.base, print);
  if (found || !wanted.mayIncubate) {
    return found ??
      cold(
        `${told(wanted.base)} is not warm yet, and only a spawn that waits until ready makes it so`,
      );
  }
  const unfit = await readUnfit(context.home, print);
  if (unfit) return cold(`${unfit.reason} (found ${unfit.at})`);
  return await warmNow(context, wanted, print);
}

async function warmNow(context: Context, wanted: Wanted, print: Fingerprint): Promise<Choice> {
  const since = performance.now();
  return await withTurn(context, wanted, print, async () => {
    // Another spawn may have made it warm while we waited for the lock.
    const found = await find(context.home, wanted.base, print);
    if (found) return found;
    try {
      const moment = await makeMoment(context, wanted, print);
      const incubateSeconds = Math.round(performance.now() - since) / 1000;
      return { ...woken(moment), incubateSeconds };
    } catch (error) {
      const { code, message } = toNidoError(error);
      if (context.signal.aborted || code === "cancelled") throw error;
      if (code === "timeout") throw notReady(wanted.base, error);
      const reason = `${told(wanted.base)} can't be made warm: ${message}`;
      await writeUnfit(context, print, reason);
      return cold(reason);
    }
  });
}

async function find(home: string, base: Base, print: Fingerprint): Promise<Choice | undefined> {
  const ofBase = (await momentsOf(home, base)).filter(({ record }) => !record.freedAt);
  let failure: string | undefined;
  for (const moment of ofBase) {
    if (differences(moment.record.fingerprint, print).length > 0) continue;
    const bad = moment.record.failure ?? await damage(moment);
    if (!bad) return woken(moment);
    if (!moment.record.failure) await setAside(moment, bad);
    failure ??= bad;
  }
  const again = `nido ${base.kind} warm ${base.name}`;
  if (failure) return cold(`its warm state failed: ${failure}; ${again} makes a new one`);
  const otherSize = ofBase.find(({ record }) =>
    !record.failure && differences(record.fingerprint, print).every((part) => SIZES.includes(part))
  );
  if (!otherSize) return undefined;
  const size = ({ cpus, memoryMib }: Fingerprint) => `${cpus} CPUs and ${memoryMib} MiB`;
  return cold(
    `${told(base)} is warm for ${size(otherSize.record.fingerprint)}, not for ${size(print)}; ` +
      `${again} --cpus ${print.cpus} --memory ${print.memoryMib}M makes it so`,
  );
}

const SIZES: (keyof Fingerprint)[] = ["cpus", "memoryMib"];

function woken(moment: Moment): Choice {
  const { base, ram, createdAt } = moment.record;
  const memory = ram ? "memory" : "memory, read in full,";
  return {
    rung: ram ? "warm" : "stream",
    reason: `it woke from the ${memory} of ${base.kind} "${base.name}", frozen ${createdAt}`,
    moment,
  };
}

function cold(reason: string): Choice {
  return { rung: "cold", reason };
}

function notReady(base: Base, cause: unknown): NidoError {
  const { message, details } = toNidoError(cause);
  return new NidoError("timeout", `Cannot make ${told(base)} warm: ${message}`, {
    hint: `give it more time with --timeout, or boot each VM by itself: nido config set warm off`,
    details,
    cause,
  });
}
