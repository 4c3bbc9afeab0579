import assert from "node:assert/strict";
import { join } from "node:path";
import { NidoError } from "../../../lib/errors.ts";
import { files, snapshotFiles } from "../../../lib/store/files.ts";
import { COUNT } from "../../helpers/boot_sector.ts";
import { type Nest, nest } from "../../helpers/nest.ts";

/** What `snapshot.create` gives. */
export interface Created {
  label: string;
  parent?: string;
  hasMemory: boolean;
  memoryBytes?: number;
  diskBytes: number;
  screenPath?: string;
  stillMs?: number;
  problems: string[];
}

/** A row of `snapshot.list`. */
export interface Listed {
  label: string;
  state: string;
  parent?: string;
  current: boolean;
  hasMemory: boolean;
  problems: string[];
}

/** What is told of a VM whose clock could not be set. */
export const LATE = "its clock is late: it was frozen without a program that hears the time";

/** A home with an image that counts, on its disk and in its memory. */
export async function counting(): Promise<Nest> {
  const home = await nest();
  await home.importProgram("count", COUNT);
  return home;
}

/** Keeps VM "a". */
export function create(home: Nest, label?: string): Promise<Created> {
  return home.call<Created>("snapshot.create", { name: "a", label });
}

/** Takes VM "a" back. */
export function restore(home: Nest, label: string, diskOnly = false) {
  return home.call("snapshot.restore", { name: "a", label, diskOnly });
}

/** The snapshots of VM "a". */
export async function list(home: Nest): Promise<Listed[]> {
  return (await home.call<{ snapshots: Listed[] }>("snapshot.list", { name: "a" })).snapshots;
}

/** A file of a snapshot. */
export function at(home: Nest, label: string, file: keyof typeof snapshotFiles): string {
  return join(home.at("a", "snapshots"), label, snapshotFiles[file]);
}

/** What is written of a snapshot. */
async function recordOf(home: Nest, label: string) {
  return JSON.parse(await Deno.readTextFile(at(home, label, "record")));
}

/** The layer that holds a snapshot's disk. */
export async function layerOf(home: Nest, label: string): Promise<string> {
  return files.layer(home.home, (await recordOf(home, label)).layer);
}

/** The state of VM "a". */
export async function stateOf(home: Nest): Promise<string | undefined> {
  return (await home.row("a"))?.state;
}

/** Memory that QEMU takes for damaged, though its digest is right: the VM is left before its waking. */
export async function sleepOn(home: Nest, label: string): Promise<void> {
  const whole = await Deno.readFile(at(home, label, "state"));
  await replaceState(home, label, whole.slice(0, 1 << 20));
  const record = await home.call("vm.info", { name: "a" });
  const error = await restore(home, label).then(() => undefined, (thrown) => thrown);
  assert.ok(error instanceof NidoError, String(error));
  assert.equal(error.code, "integrity");
  assert.match(
    error.message,
    /^Cannot wake VM "a" from its memory: Cannot start VM "a": QEMU ended/,
  );
  assert.equal(error.hint, `nido snapshot restore a ${label} --disk-only`);
  assert.equal(await stateOf(home), "suspended");
  assert.equal((await home.call("vm.info", { name: "a" })).id, record.id);
  await Deno.writeFile(at(home, label, "state"), whole);
}

async function replaceState(home: Nest, label: string, state: Uint8Array<ArrayBuffer>) {
  await Deno.writeFile(at(home, label, "state"), state);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", state)).toHex();
  const record = await recordOf(home, label);
  record.memory = { ...record.memory, sizeBytes: state.length, digest: `sha256:${digest}` };
  await Deno.writeTextFile(at(home, label, "record"), JSON.stringify(record));
}
