import { join } from "node:path";
import { openSoundVm } from "../../../lib/vm/vm.ts";
import { momentFiles } from "../../../lib/store/files.ts";
import { endMachines } from "../../../tests/helpers/machines.ts";
import { msOf, msRow } from "../measure.ts";
import { answers, type Bench, hatch, remove } from "./bench.ts";

/** Hatch, command, delete, again and again: how often it fails and what is left afterwards. */
export async function cyclesPart(bench: Bench, cycles: number): Promise<void> {
  const { home } = bench.context;
  const before = await pathsIn(home);
  const ports = new Set<number>();
  const times: number[] = [];
  let failures = 0;
  for (let cycle = 0; cycle < cycles; cycle++) {
    try {
      times.push(
        await msOf(async () => {
          await hatch(bench, "cycle", "ready");
          const { record } = await openSoundVm(bench.context, "bench-cycle");
          for (const { host } of record.ports) ports.add(host);
          await answers(bench, "cycle");
          await remove(bench, "cycle");
        }),
      );
    } catch (error) {
      failures++;
      console.error(`    cycle ${cycle}:`, error);
      await remove(bench, "cycle");
    }
  }
  const left = [
    ...[...await pathsIn(home)].filter((path) => !before.has(path)),
    ...endMachines(join(home, "vms", "bench-")),
    ...[...ports].filter(isTaken).map((port) => `port ${port}`),
  ];
  for (const what of left) console.error(`    left: ${what}`);
  bench.rows.push(
    msRow("warm spawn, command, delete", times),
    { what: `${cycles} times`, value: failures, unit: "failures", runs: 1, aim: "aim: 0" },
    {
      what: "files, processes and ports afterwards",
      value: left.length,
      unit: "left",
      runs: 1,
      aim: "aim: 0",
    },
  );
}

async function pathsIn(folder: string): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (name !== momentFiles.used) found.add(path);
    if (isDirectory) { for (const inner of await pathsIn(path)) found.add(inner); }
  }
  return found;
}

function isTaken(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return false;
  } catch {
    return true;
  }
}
