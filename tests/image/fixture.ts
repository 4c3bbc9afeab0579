import assert from "node:assert/strict";
import { join } from "node:path";
import type { Catalog } from "../../lib/catalog/catalog.ts";
import { type Context, makeContext } from "../../lib/context.ts";
import { type ErrorCode, NidoError } from "../../lib/errors.ts";
import { run } from "../../lib/host/process.ts";
import { files } from "../../lib/store/files.ts";
import { prepareHome } from "../../lib/store/home.ts";
import { writeRecord } from "../../lib/store/record.ts";

/** A home with an empty catalog of its own, and a folder of source files; gone after the test. */
export interface Fixture extends AsyncDisposable {
  home: string;
  folder: string;
  context: Context;
  /** A path in the folder of sources. */
  at(name: string): string;
}

export async function fixture(): Promise<Fixture> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "nido-image-" }));
  const [home, folder] = [join(root, "home"), join(root, "sources")];
  await Deno.mkdir(folder);
  await prepareHome(home);
  await useCatalog(home, { schemaVersion: 1, updatedAt: "2026-11-01T00:00:00Z", images: [] });
  return {
    home,
    folder,
    context: makeContext(home),
    at: (name) => join(folder, name),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** Makes a catalog the one of a home's settings. */
export async function useCatalog(home: string, catalog: Catalog): Promise<void> {
  const path = join(home, "..", "catalog.json");
  await Deno.writeTextFile(path, JSON.stringify(catalog));
  await writeRecord(files.config(home), { schemaVersion: 1, catalog: path });
}

/** Bytes that don't compress and begin with a boot sector; the same seed gives the same bytes. */
export function bootableBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed * 2654435761 >>> 0 || 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  const bytes = new Uint8Array(words.buffer).subarray(0, length);
  bytes.set([0x55, 0xaa], 510);
  return bytes;
}

export async function writeRaw(path: string, length = 1 << 20, seed = 1): Promise<string> {
  await Deno.writeFile(path, bootableBytes(length, seed));
  return path;
}

export async function qemuImg(...args: string[]): Promise<string> {
  return new TextDecoder().decode((await run("qemu-img", args)).stdout);
}

/** A qcow2 v3 with random content. */
export async function writeQcow2(path: string, length = 1 << 20, seed = 1): Promise<string> {
  await writeRaw(`${path}.source`, length, seed);
  await qemuImg("convert", "-f", "raw", "-O", "qcow2", `${path}.source`, path);
  await Deno.remove(`${path}.source`);
  return path;
}

/** Overwrites bytes inside a file. */
export async function poke(path: string, at: number, bytes: number[]): Promise<string> {
  using file = await Deno.open(path, { write: true });
  await file.seek(at, Deno.SeekMode.Start);
  await file.write(new Uint8Array(bytes));
  return path;
}

export async function sha256(path: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return `sha256:${new Uint8Array(hash).toHex()}`;
}

/** Asserts that it fails with this code and exactly this message (and hint, when given). */
export async function fails(
  attempt: Promise<unknown>,
  code: ErrorCode,
  message: string,
  hint?: string,
): Promise<NidoError> {
  const error = await attempt.then(() => undefined, (thrown) => thrown);
  assert.ok(error instanceof NidoError, `expected a NidoError, got ${error}`);
  assert.deepEqual([error.code, error.message], [code, message]);
  if (hint !== undefined) assert.equal(error.hint, hint);
  return error;
}
