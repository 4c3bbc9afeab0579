import { median, msOf, round } from "../measure.ts";
import { answers, type Bench, hatch, remove } from "./bench.ts";

const BOOTS = 3;

/** A spawn that boots, until a command in it has answered. */
export async function coldPart(bench: Bench): Promise<void> {
  const times: number[] = [];
  for (let run = 0; run < BOOTS; run++) {
    times.push(
      await msOf(async () => {
        await hatch(bench, "egg", "ready", "cold");
        await answers(bench, "egg");
      }),
    );
    await remove(bench, "egg");
  }
  bench.measured.coldMs = median(times);
  bench.rows.push({
    what: "(a) cold spawn to the first command's output",
    value: round(bench.measured.coldMs / 1000),
    unit: "s",
    runs: BOOTS,
  });
}
