import { join } from "node:path";
import { bundle } from "../build/bundle.ts";
import { median, msOf, msRow, round, type Row } from "./measure.ts";
import { MAIN, runScript, withPlace } from "./place.ts";

const RUNS = 21;

/** What starts quickest: the sources or all of Nido in one file, against a program that does nothing. */
export async function startBench(): Promise<Row[]> {
  const rows: Row[] = [];
  await withPlace(async (context, folder) => {
    const [empty, one] = [join(folder, "empty.js"), join(folder, "nido.js")];
    await Deno.writeTextFile(empty, "");
    await bundle(one);
    const starts = [
      { what: "an empty Deno program (floor)", script: empty, args: [] },
      { what: "nido version, from its sources", script: MAIN, args: ["version"] },
      { what: "nido version, in one file", script: one, args: ["version"] },
      { what: "nido list, 0 VMs, from its sources", script: MAIN, args: ["list"] },
      { what: "nido list, 0 VMs, in one file", script: one, args: ["list"] },
    ].map((start) => ({ ...start, times: [] as number[] }));
    // In turns, so that what else the machine does meets all of them alike; the first fills caches.
    for (let run = 0; run <= RUNS; run++) {
      for (const { script, args, times } of starts) {
        const ms = await msOf(() => runScript(context, script, ...args));
        if (run > 0) times.push(ms);
      }
    }
    const floor = median(starts[0]!.times);
    for (const { what, times } of starts) {
      rows.push(msRow(what, times, { ratio: round(median(times) / floor, 2) }));
    }
  });
  return rows;
}
