import { dirname } from "node:path";
import type { Context } from "../../lib/context.ts";
import { type Ended, fieldKind } from "../../lib/operation.ts";
import { files } from "../../lib/store/files.ts";
import { tryLockFile } from "../../lib/store/lock.ts";
import { sha256 } from "../../lib/sha256.ts";

const ROTATE_BYTES = 5 * 2 ** 20;
const KEPT = 3;
/** Values that may be secret or large in any operation: only their size and digest are written. */
const UNTOLD = ["env", "stdin", "content", "text", "data", "userData", "sshKeys"];

/** Writes a line for every call of a session into the home's audit log. */
export function auditOf(home: string, session: string): NonNullable<Context["audit"]> {
  return async ({ operation, input, error, startedAt, durationMs }) => {
    const line = JSON.stringify({
      at: startedAt.toISOString(),
      session,
      operation: operation.name,
      input: await redacted({ operation, input }),
      outcome: error ? error.code : "ok",
      ...(error ? { message: error.message } : {}),
      durationMs,
    });
    await append(home, `${line}\n`).catch((reason) => {
      // A full disk must not keep anybody from stopping or deleting a VM.
      console.error(`nido: the audit log can't be written: ${reason.message}`);
    });
  };
}

async function redacted({ operation, input }: Pick<Ended, "operation" | "input">) {
  if (typeof input !== "object" || input === null) return await digest(input);
  const told = Object.entries(input).map(async ([key, value]) => {
    const { shape } = operation.input;
    const schema = Object.hasOwn(shape, key) ? shape[key] : undefined;
    const kind = schema && fieldKind(schema);
    const isUntold = kind === "content" || kind === "secret" || UNTOLD.includes(key) || !schema;
    return [key, isUntold ? await digest(value) : value];
  });
  return Object.fromEntries(await Promise.all(told));
}

async function digest(value: unknown): Promise<{ bytes: number; sha256: string }> {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  const bytes = new TextEncoder().encode(text);
  return { bytes: bytes.length, sha256: await sha256(bytes) };
}

async function append(home: string, line: string): Promise<void> {
  const path = files.audit(home);
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const { size } = await Deno.stat(path).catch(() => ({ size: 0 }));
  if (size > ROTATE_BYTES) await rotate(home, path);
  // One write of a whole line at the end: lines of several servers never mix.
  await Deno.writeTextFile(path, line, { append: true, mode: 0o600 });
}

async function rotate(home: string, path: string): Promise<void> {
  using lock = await tryLockFile(files.lock(home, "audit"), "rotate the audit log");
  if (!lock || (await Deno.stat(path)).size <= ROTATE_BYTES) return; // another server does it
  for (let number = KEPT - 1; number >= 1; number--) {
    await Deno.rename(`${path}.${number}`, `${path}.${number + 1}`).catch(() => {}); // not so many yet
  }
  await Deno.rename(path, `${path}.1`);
}
