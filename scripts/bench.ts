/**
 * Measures Nido against the bare floor, in one run on one machine.
 *
 *     deno task bench [--json] [start] [list] [spawn] [guest] [mcp] [registry]
 *         [hatch [--parts PART,...] [--cycles N]]
 *
 * Timings are medians; ratios within one run say more than the numbers. `hatch` has the parts cold,
 * warm, fork, snapshot, template, crowd and cycles.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { guestBench } from "./bench/guest.ts";
import { hatchBench } from "./bench/hatch.ts";
import { listBench } from "./bench/list.ts";
import { mcpBench } from "./bench/mcp.ts";
import type { Row } from "./bench/measure.ts";
import { registryBench } from "./bench/registry.ts";
import { spawnBench } from "./bench/spawn.ts";
import { startBench } from "./bench/start.ts";

const { values, positionals } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    parts: { type: "string" },
    cycles: { type: "string", default: "200" },
  },
  allowPositionals: true,
});
const benches: Record<string, () => Promise<Row[]>> = {
  start: startBench,
  list: listBench,
  spawn: spawnBench,
  guest: guestBench,
  mcp: mcpBench,
  registry: registryBench,
  hatch: () => hatchBench(values.parts?.split(","), Number(values.cycles)),
};
const wanted = positionals.length ? positionals : Object.keys(benches);
const rows: Row[] = [];
for (const name of wanted) {
  const bench = benches[name];
  if (!bench) {
    console.error(`No bench "${name}"; there are ${Object.keys(benches).join(", ")}`);
    Deno.exit(2);
  }
  console.error(`measuring ${name} ...`);
  rows.push(...await bench());
}

const machine = {
  os: Deno.build.target,
  deno: Deno.version.deno,
  cpus: navigator.hardwareConcurrency,
  loadAverage: Deno.loadavg()[0],
};
if (values.json) console.log(JSON.stringify({ schemaVersion: 1, machine, rows }, null, 2));
else {
  console.log(Object.entries(machine).map(([key, value]) => `${key} ${value}`).join(", "));
  for (const { what, value, unit, runs, p95, ratio, aim } of rows) {
    const told = ratio === undefined ? "" : `${ratio < 0.1 ? ratio : ratio.toFixed(2)} x`;
    const spread = p95 === undefined ? "" : `, p95 ${p95} ${unit}`;
    console.log(
      `${what.padEnd(58)} ${`${value} ${unit}`.padStart(12)}  ${told.padStart(8)}  ` +
        `${aim ?? ""}${runs > 1 ? ` (median of ${runs}${spread})` : ""}`.trim(),
    );
  }
}
