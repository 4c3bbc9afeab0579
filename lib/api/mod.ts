/**
 * Nido as a library: every operation as a typed method.
 *
 * ```ts
 * import { openNido } from "jsr:@nido/cli/api";
 *
 * const nido = await openNido();
 * const vm = await nido.vm.spawn({ image: "debian:12" });
 * const { stdout } = await nido.vm.exec({ name: vm.name, command: ["uname", "-a"] });
 * await nido.vm.delete({ names: [vm.name], force: true });
 * ```
 *
 * A failure is a {@linkcode NidoError} with a stable code, what was tried and the next command to type.
 *
 * @module
 */
import { resolve } from "node:path";
import { type Context, makeContext } from "../context.ts";
import { operations } from "../operations.ts";
import { homePath } from "../store/home.ts";
import { openHome } from "../store/home_version.ts";
import { type CallOptions, nounAndMethod } from "./call.ts";
import type { Nido } from "./types.ts";

export type { Progress } from "../context.ts";
export type { CallOptions } from "./call.ts";
export type * from "./types.ts";
export { type ErrorCode, NidoError } from "../errors.ts";

/** Which Nido is opened. */
export interface NidoOptions {
  /** Its home folder; by default `NIDO_HOME`, else `~/.nido`. */
  home?: string;
}

/** Opens this machine's Nido; nothing runs in the background, and nothing needs to be closed. */
export async function openNido({ home }: NidoOptions = {}): Promise<Nido> {
  const context = makeContext(home === undefined ? homePath() : resolve(home));
  await openHome(context);
  const nido: Record<string, Record<string, unknown>> = {};
  for (const name of Object.keys(operations)) {
    const [noun, method] = nounAndMethod(name);
    (nido[noun] ??= {})[method] = (input: unknown = {}, call: CallOptions = {}) =>
      callOperation(context, name, input, call);
  }
  return nido as unknown as Nido;
}

async function callOperation(
  context: Context,
  name: string,
  input: unknown,
  { signal = context.signal, report = context.report }: CallOptions,
): Promise<unknown> {
  const { default: operation } = await operations[name]!();
  return await operation.call({ ...context, signal, report }, input);
}
