import type { Context } from "../context.ts";
import { withLock } from "../store/lock.ts";
import type { VmRecord } from "../vm/vm.ts";
import type { Base } from "./base.ts";
import { capMemory } from "./cap.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { incubate } from "./incubate.ts";
import type { Moment } from "./moment.ts";
import { nameOf } from "./unfit.ts";

/** What is to be made warm, and for a VM of which shape. */
export interface ToWarm {
  base: Base;
  record: VmRecord;
  timeoutSeconds: number;
}

/** Makes a base warm; the caller has the turn. */
export async function makeMoment(
  context: Context,
  { base, record, timeoutSeconds }: ToWarm,
  fingerprint: Fingerprint,
): Promise<Moment> {
  const moment = await incubate(context, { base, like: record, fingerprint, timeoutSeconds });
  await capMemory(context, moment);
  return moment;
}

/** Runs while nobody else makes the same machine warm. */
export async function withTurn<T>(
  context: Context,
  { base, timeoutSeconds }: ToWarm,
  print: Fingerprint,
  run: () => Promise<T>,
): Promise<T> {
  const lock = {
    what: `warm-${await nameOf(print)}`,
    doing: `warm ${told(base)}`,
    patienceMs: timeoutSeconds * 1000,
  };
  return await withLock(context, lock, run);
}

/** A base as messages name it. */
export function told({ kind, name }: Pick<Base, "kind" | "name">): string {
  return `${kind} "${name}"`;
}
