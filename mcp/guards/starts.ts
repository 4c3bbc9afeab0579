import { NidoError } from "../../lib/errors.ts";
import type { Guard } from "../../lib/operation.ts";

const STARTS = [
  "vm.spawn",
  "vm.run",
  "vm.fork",
  "vm.start",
  "vm.restart",
  "vm.resume",
  "snapshot.restore",
];

/** How many machines may be started. */
export interface StartLimits {
  atOnce: number;
  perMinute: number;
}

/** Holds back a client that starts machines faster than this host should. */
export function startsGuard({ atOnce, perMinute }: StartLimits): Guard {
  let running = 0;
  let begun: number[] = [];
  return async ({ operation, input }, go) => {
    if (!STARTS.includes(operation.name)) return await go(input);
    const now = performance.now();
    begun = begun.filter((at) => now - at < 60_000);
    const number = machinesWanted(input);
    const refuse = (fact: string, hint: string) => {
      throw new NidoError("busy", `Cannot run ${operation.name}: ${fact}`, { hint });
    };
    if (running > 0 && running + number > atOnce) {
      refuse(`${running} VMs are being started`, "Try again when one is ready");
    }
    if (begun.length + number > perMinute) {
      refuse(`${perMinute} VMs may be started in a minute`, "Try again in a minute");
    }
    running += number;
    begun.push(...Array.from({ length: number }, () => now));
    try {
      return await go(input);
    } finally {
      running -= number;
    }
  };
}

/** How many machines a call makes or starts; copies are told by number, by name or both ways. */
export function machinesWanted({ count, into }: Record<string, unknown>): number {
  return Math.max(Number(count ?? 1), Array.isArray(into) ? into.length : 0);
}
