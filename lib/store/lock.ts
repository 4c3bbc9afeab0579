import { dirname } from "node:path";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { files } from "./files.ts";

const PATIENCE_MS = 10_000;

/** A lock that this process holds; a crash frees it, because the operating system does. */
export interface Lock extends Disposable {
  readonly path: string;
}

/** Who holds a lock, as written in its file. */
interface Holder {
  pid: number;
  doing: string;
  since: string;
}

/** What to lock and how long to wait for it. */
export interface LockRequest {
  /** The lock's name, for example `vm-dev`. */
  what: string;
  /** What the holder does with it, for the others' `busy`: `stop VM "dev"`. */
  doing: string;
  patienceMs?: number;
}

/** Takes a lock of this home, waiting up to its patience; `busy` then names the holder. */
export async function takeLock(context: Context, request: LockRequest): Promise<Lock> {
  const path = files.lock(context.home, request.what);
  const deadline = performance.now() + (request.patienceMs ?? PATIENCE_MS);
  for (;;) {
    context.signal.throwIfAborted();
    const lock = await tryLockFile(path, request.doing);
    if (lock) return lock;
    if (performance.now() > deadline) throw await busy(path, request.doing);
    await new Promise((resolve) => setTimeout(resolve, 10 + Math.random() * 20));
  }
}

/** Runs with a lock held. */
export async function withLock<T>(
  context: Context,
  request: LockRequest,
  run: () => Promise<T>,
): Promise<T> {
  using _lock = await takeLock(context, request);
  return await run();
}

/** Locks a file if nobody holds it now. */
export async function tryLockFile(path: string, doing: string): Promise<Lock | undefined> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  try {
    if (!await file.tryLock(true)) return void file.close();
    // Race: the last holder may have removed the file between our open and our lock; then we hold
    // a lock that nobody else can see.
    if (!await isStillAt(file, path)) return void file.close();
    await signAs(file, { pid: Deno.pid, doing, since: new Date().toISOString() });
  } catch (error) {
    file.close();
    throw error;
  }
  let isHeld = true;
  return {
    path,
    [Symbol.dispose]: () => {
      if (isHeld) file.close();
      isHeld = false;
    },
  };
}

/** Whether somebody holds a lock at this moment; asking is in nobody's way. */
export async function isLocked(path: string): Promise<boolean> {
  try {
    using file = await Deno.open(path, { read: true });
    return !await file.tryLock(false); // shared, so that two who ask don't take each other for a holder
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false; // it was never taken, or is retired
    throw error;
  }
}

// On a full disk a lock must still be had, or nothing could be stopped or deleted any more.
async function signAs(file: Deno.FsFile, holder: Holder): Promise<void> {
  try {
    await file.truncate();
    await file.write(new TextEncoder().encode(JSON.stringify(holder)));
  } catch {
    // The lock is held all the same; only its holder's name is not known to others.
  }
}

/** Removes the file of a lock that we hold, then frees it; to free it again does nothing. */
export async function retireLock(lock: Lock): Promise<void> {
  await Deno.remove(lock.path).catch(() => {}); // removed by hand already: nothing is lost
  lock[Symbol.dispose]();
}

async function isStillAt(file: Deno.FsFile, path: string): Promise<boolean> {
  try {
    const [held, named] = [await file.stat(), await Deno.stat(path)];
    return held.ino === named.ino && held.dev === named.dev;
  } catch {
    return false;
  }
}

async function busy(path: string, doing: string): Promise<NidoError> {
  const holder = await readHolder(path);
  const who = holder
    ? `process ${holder.pid} holds it to ${holder.doing} since ${holder.since}`
    : "another process holds it";
  return new NidoError("busy", `Cannot ${doing}: ${who}`, {
    hint: holder ? `ps -p ${holder.pid}` : "nido doctor",
    details: { holder },
  });
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch {
    return undefined; // being written at this moment
  }
}
