import { fork } from "../../../lib/vm/fork.ts";
import { msOf, msRow } from "../measure.ts";
import { answers, type Bench, hatch, remove, RUNS } from "./bench.ts";

/** A copy of a running VM: until a command in it has answered, and how long the VM stood still. */
export async function forkPart(bench: Bench): Promise<void> {
  await hatch(bench, "source", "ready");
  const times: number[] = [];
  const still: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    times.push(
      await msOf(async () => {
        const request = { name: "bench-source", count: 1, into: ["bench-copy"] };
        still.push((await fork(bench.context, request)).stillMs);
        await answers(bench, "copy");
      }),
    );
    await remove(bench, "copy");
  }
  await remove(bench, "source");
  bench.rows.push(
    msRow("(d) fork to the first command's output in the copy", times),
    msRow("    for which the source stood still", still, { aim: "aim: below 300 ms" }),
  );
}
