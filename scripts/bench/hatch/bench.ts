import assert from "node:assert/strict";
import type { Context } from "../../../lib/context.ts";
import { removeVm } from "../../../lib/vm/delete.ts";
import { exec } from "../../../lib/vm/exec.ts";
import type { SpawnRequest } from "../../../lib/vm/plan.ts";
import { spawn } from "../../../lib/vm/spawn.ts";
import type { Row } from "../measure.ts";

/** What the parts of the bench share. */
export interface Bench {
  context: Context;
  rows: Row[];
  /** Medians in milliseconds that later parts are set against. */
  measured: { coldMs?: number; warmMs?: number };
}

/** How often each thing is measured, but for a boot. */
export const RUNS = 20;

/** Spawns a VM of the size that the base is warm for, which must come to life this way. */
export async function hatch(
  { context }: Bench,
  name: string,
  wait: SpawnRequest["wait"],
  path: "warm" | "cold" = "warm",
): Promise<void> {
  const { spawnPath, spawnPathReason } = await spawn(context, {
    name: `bench-${name}`,
    image: "debian:12",
    memoryMib: 512,
    wait,
    timeoutSeconds: 900,
    rmOnFailure: false,
  });
  assert.equal(spawnPath, path, spawnPathReason);
}

/** Runs a command in a VM over a connection of its own, and checks what it says. */
export async function answers({ context }: Bench, name: string): Promise<void> {
  const { stdout } = await exec(context, { name: `bench-${name}`, command: ["uname", "-n"] });
  assert.equal(stdout, `bench-${name}\n`);
}

/** Deletes a VM, running or not. */
export async function remove({ context }: Bench, name: string): Promise<void> {
  await removeVm(context, `bench-${name}`, { force: true });
}
