import { makeContext } from "../lib/context.ts";
import { operations } from "../lib/operations.ts";
import { answers, type Bench } from "./bench/hatch/bench.ts";
const context = makeContext("/tmp/rep/home");
const bench = { context, rows: [], measured: {} } as unknown as Bench;
const call = async (n: string, input: Record<string, unknown>) =>
  await (await operations[n]!()).default.call(context, input);
for (let i = 0; i < 80; i++) {
  const which = { name: "bench-source", label: `z${i}` };
  const s = performance.now();
  await call("snapshot.create", which);
  const m = performance.now();
  await call("snapshot.restore", which);
  await answers(bench, "source");
  console.log(i, (m - s).toFixed(0), (performance.now() - m).toFixed(0));
}
