import { NidoError } from "../errors.ts";

/** How to wait for a guest's SSH server. */
export interface BannerOptions {
  /** The VM's name, for messages. */
  name: string;
  /** Default: as long as the signal allows. */
  timeoutMs?: number;
  /** Milliseconds between two attempts at first; default 500, growing to 4 seconds. */
  everyMs?: number;
}

const TOGETHER = 4;

/**
 * Resolves when a guest's SSH server greets on a forwarded port of this machine. QEMU's user network
 * accepts at once and says nothing until the guest listens, and a connection that it opened too early
 * may wait for very long; so new attempts start while a few older ones still listen.
 */
export async function waitForBanner(
  port: number,
  signal: AbortSignal,
  options: BannerOptions,
): Promise<void> {
  const deadline = performance.now() + (options.timeoutMs ?? Infinity);
  const greeted = Promise.withResolvers<boolean>();
  const stopped = () => greeted.resolve(false);
  const timer = options.timeoutMs && setTimeout(stopped, options.timeoutMs);
  signal.addEventListener("abort", stopped);
  const attempts: Attempt[] = [];
  let pause = options.everyMs ?? 500;
  try {
    for (;;) {
      signal.throwIfAborted();
      const attempt = listen(port);
      attempt.heard.then((heard) => heard && greeted.resolve(true));
      attempts.push(attempt);
      if (attempts.length > TOGETHER) attempts.shift()!.close();
      const found = await Promise.race([greeted.promise, sleep(pause)]);
      if (found === true) return;
      signal.throwIfAborted();
      if (found === false || performance.now() >= deadline) throw silent(options);
      pause = Math.min(pause * 1.25, 4000);
    }
  } finally {
    if (timer) clearTimeout(timer);
    signal.removeEventListener("abort", stopped);
    for (const attempt of attempts) attempt.close();
    await Promise.all(attempts.map((attempt) => attempt.heard));
  }
}

/** One try: whether "SSH-" came before the connection ended. */
interface Attempt {
  heard: Promise<boolean>;
  close(): void;
}

function listen(port: number): Attempt {
  let connection: Deno.TcpConn | undefined;
  let closed = false;
  const heard = (async () => {
    try {
      connection = await Deno.connect({ hostname: "127.0.0.1", port });
      if (closed) return false;
      const seen = new Uint8Array(4);
      for (let size = 0; size < seen.length;) {
        const read = await connection.read(seen.subarray(size));
        if (read === null) return false;
        size += read;
      }
      return new TextDecoder().decode(seen) === "SSH-";
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      return false; // refused or cut: the next attempt tells more
    } finally {
      closeQuietly(connection);
    }
  })();
  return {
    heard,
    close() {
      closed = true;
      closeQuietly(connection);
    },
  };
}

function closeQuietly(connection: Deno.TcpConn | undefined): void {
  try {
    connection?.close();
  } catch {
    // closed before
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function silent(options: BannerOptions): NidoError {
  return new NidoError(
    "timeout",
    `Cannot reach VM "${options.name}": SSH did not answer within ${options.timeoutMs} ms`,
    { hint: `nido logs ${options.name}` },
  );
}
