import { load } from "../lib/cli/run.ts";
import { makeContext } from "../lib/context.ts";
import { toNidoError } from "../lib/errors.ts";
import type { Service } from "./service.ts";

const EVERY_MS = 15_000;

/**
 * What a server does besides answering, until it ends: leases that are over end within seconds though
 * nobody calls, as to list VMs ends them; connections to guests that no call needs any more are closed.
 */
export function keepHouse({ setup, idle }: Service, everyMs = EVERY_MS): AsyncDisposable {
  const ending = new AbortController();
  const context = makeContext(setup.home, { signal: ending.signal });
  let round = Promise.resolve();
  const endLeases = async () => {
    try {
      await (await load("vm.list")).call(context, {});
    } catch (thrown) {
      if (!ending.signal.aborted) console.error(`nido: ${toNidoError(thrown).message}`);
    }
  };
  const timer = setInterval(() => round = round.then(endLeases), everyMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      ending.abort();
      await Promise.all([round, idle[Symbol.asyncDispose]()]);
    },
  };
}
