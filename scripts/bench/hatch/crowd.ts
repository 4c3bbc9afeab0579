import { join } from "node:path";
import { openSoundVm } from "../../../lib/vm/vm.ts";
import { median, msOf, round } from "../measure.ts";
import { answers, type Bench, hatch, remove } from "./bench.ts";

const CROWD = 20;
const CROWDS = 3;
const SETTLE_MS = 30_000;

/** Many at once until all have answered, and what each of them costs when it is idle. */
export async function crowdPart(bench: Bench): Promise<void> {
  const { rows, measured } = bench;
  const single = await idleCost(bench, ["single"], () => hatch(bench, "single", "ready"));
  await remove(bench, "single");
  const names = Array.from({ length: CROWD }, (_, number) => `crowd-${number}`);
  const times: number[] = [];
  let crowd: Cost | undefined;
  for (let run = 1; run <= CROWDS; run++) {
    const all = async () => {
      times.push(
        await msOf(() =>
          Promise.all(names.map(async (name) => {
            await hatch(bench, name, "ready");
            await answers(bench, name);
          }))
        ),
      );
    };
    if (run < CROWDS) await all();
    else crowd = await idleCost(bench, names, all);
    for (const name of names) await remove(bench, name);
  }
  const ms = median(times);
  rows.push({
    what: `(g) ${CROWD} warm spawns at once, until all have answered`,
    value: round(ms / 1000),
    unit: "s",
    runs: CROWDS,
    ratio: measured.warmMs && round(ms / measured.warmMs, 1),
    aim: `of (c), aim: below ${round(CROWD / 1.5)}`,
  });
  const cost = (what: string, value: number, ratio?: number) =>
    rows.push({ what, value: round(value), unit: "MiB", runs: 1, ratio: ratio && round(ratio, 2) });
  cost("(h) memory (PSS) of one idle clone of 512 MiB", single.pssMib);
  cost(`    of each of ${CROWD} of them`, crowd!.pssMib, crowd!.pssMib / single.pssMib);
  cost("    disk of one", single.diskMib);
  cost(`    of each of ${CROWD}`, crowd!.diskMib);
}

/** What one VM takes, in the mean. */
interface Cost {
  pssMib: number;
  diskMib: number;
}

async function idleCost(
  { context }: Bench,
  names: string[],
  make: () => Promise<void>,
): Promise<Cost> {
  await make();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const costs = await Promise.all(names.map(async (name) => {
    const { pid, folder } = await openSoundVm(context, `bench-${name}`);
    return { pssMib: await pssMib(pid!), diskMib: await diskMib(folder) };
  }));
  const mean = (part: keyof Cost) =>
    costs.reduce((sum, cost) => sum + cost[part], 0) / costs.length;
  return { pssMib: mean("pssMib"), diskMib: mean("diskMib") };
}

async function pssMib(pid: number): Promise<number> {
  const smaps = await Deno.readTextFile(`/proc/${pid}/smaps_rollup`);
  return Number(/^Pss:\s+(\d+)/m.exec(smaps)![1]) / 1024;
}

async function diskMib(folder: string): Promise<number> {
  let blocks = 0;
  for await (const { name } of Deno.readDir(folder)) {
    blocks += (await Deno.stat(join(folder, name))).blocks ?? 0;
  }
  return blocks * 512 / 2 ** 20;
}
