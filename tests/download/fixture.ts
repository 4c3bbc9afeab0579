import assert from "node:assert/strict";
import { type Context, makeContext, type Progress } from "../../lib/context.ts";
import { type Downloaded, type Retries, withDownload } from "../../lib/download/download.ts";
import { type ErrorCode, NidoError } from "../../lib/errors.ts";
import { sha256 } from "../../lib/sha256.ts";
import { files } from "../../lib/store/files.ts";
import { prepareHome } from "../../lib/store/home.ts";
import { namesIn } from "../../lib/store/record.ts";
import { bootableBytes } from "../image/fixture.ts";

/** Patience for tests: every rule is the real one, only faster. */
export const QUICK: Retries = {
  failures: 3,
  firstWaitMs: 1,
  longestWaitMs: 5,
  longestAskedWaitMs: 50,
  answerMs: 10_000,
  offlineAnswerMs: 10_000,
  stallMs: 10_000,
};

/** A home that is gone after the test, and the progress that was told. */
export interface Place extends AsyncDisposable {
  home: string;
  context: Context;
  told: Progress[];
}

export async function place(): Promise<Place> {
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "nido-download-" }));
  await prepareHome(home);
  const told: Progress[] = [];
  const context = makeContext(home, { report: (progress) => void told.push(progress) });
  return {
    home,
    context,
    told,
    [Symbol.asyncDispose]: () => Deno.remove(home, { recursive: true }),
  };
}

/** The bytes of a test's file, and their published digest. */
export async function published(length: number, seed = 1) {
  const bytes = bootableBytes(length, seed);
  return { bytes, digest: `sha256:${await sha256(bytes)}` };
}

/** The digest in sha512. */
export async function sha512(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return `sha512:${new Uint8Array(await crypto.subtle.digest("SHA-512", bytes)).toHex()}`;
}

/** What a caller would store: the bytes, and what it was told of them. */
export interface Taken {
  bytes: Uint8Array<ArrayBuffer>;
  file: Downloaded;
}

export async function take(file: Downloaded): Promise<Taken> {
  return { bytes: await Deno.readFile(file.path), file };
}

/** Downloads from one address or several mirrors. */
export async function pull(
  at: Place,
  urls: string | string[],
  digest: string | undefined,
  more: { sizeBytes?: number; retries?: Partial<Retries> } = {},
): Promise<Taken> {
  const { sizeBytes, retries } = more;
  const sources = [urls].flat().map((url) => [url]);
  const wanted = { sources, digest, sizeBytes, label: "debian:12" };
  return await withDownload(at.context, wanted, take, { ...QUICK, ...retries });
}

/** Asserts that two files are the same; a difference is not shown, as assert would, number by number. */
export function assertBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.length, expected.length);
  const differs = actual.findIndex((byte, index) => byte !== expected[index]);
  assert.equal(differs, -1, `the files differ from byte ${differs} on`);
}

/** Asserts a failure by code and exact message, and gives it. */
export async function fails(
  attempt: Promise<unknown>,
  code: ErrorCode,
  message: string | RegExp,
): Promise<NidoError> {
  const error = await attempt.then(() => undefined, (thrown) => thrown);
  assert.ok(error instanceof NidoError, `expected a NidoError, got ${error}`);
  assert.equal(error.code, code, error.message);
  if (typeof message === "string") assert.equal(error.message, message);
  else assert.match(error.message, message);
  return error;
}

/** Asserts that a download left nothing in the home: no bytes, no record, no lock. */
export async function assertNothingLeft(at: Place): Promise<void> {
  assert.deepEqual(await namesIn(files.downloads(at.home)), []);
  assert.deepEqual(await namesIn(files.locks(at.home)), []);
}
