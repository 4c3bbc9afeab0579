import { join } from "node:path";
import type { SpawnRequest } from "../../lib/vm/plan.ts";
import { spawn } from "../../lib/vm/spawn.ts";
import { medianMs, round, type Row } from "./measure.ts";
import { nido, withPlace } from "./place.ts";

const RUNS = 15;

/** `nido list` and `nido version` as processes, against a Deno program that does nothing. */
export async function listBench(): Promise<Row[]> {
  const rows: Row[] = [];
  await withPlace(async (context, folder) => {
    const empty = join(folder, "empty.ts");
    await Deno.writeTextFile(empty, "");
    const args = ["run", "-A", empty];
    const floor = await medianMs(RUNS, () => new Deno.Command(Deno.execPath(), { args }).output());
    rows.push({
      what: "an empty Deno program (floor)",
      value: round(floor),
      unit: "ms",
      runs: RUNS,
    });
    const add = (what: string, value: number, aim?: string) =>
      rows.push({
        what,
        value: round(value),
        unit: "ms",
        runs: RUNS,
        ratio: round(value / floor, 2),
        aim,
      });

    add("nido version", await medianMs(RUNS, () => nido(context, "version")));
    let made = 0;
    const grow = async (count: number, wait: SpawnRequest["wait"]) => {
      for (; made < count; made++) await spawn(context, request(`vm-${made}`, wait));
    };
    for (
      const [count, wait] of [[0, "none"], [20, "none"], [40, "running"], [220, "none"]] as const
    ) {
      await grow(count, wait);
      const told = {
        0: "0 VMs",
        20: "20 VMs",
        40: "40 VMs, 20 of them running",
        220: "220 VMs, 20 of them running",
      }[count];
      const aim = count === 20 ? "aim: at most 8 x" : undefined;
      add(`nido list, ${told}`, await medianMs(RUNS, () => nido(context, "list")), aim);
    }
  });
  return rows;
}

/** The smallest spawn: no guest system, nothing to wait for but QEMU. */
export function request(name: string, wait: SpawnRequest["wait"]): SpawnRequest {
  return {
    name,
    image: "tiny",
    memoryMib: 128,
    cpus: 1,
    wait,
    timeoutSeconds: 60,
    rmOnFailure: false,
  };
}
