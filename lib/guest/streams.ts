import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
// @ts-types="@types/ssh2"
import type { ClientChannel } from "ssh2";

/** Takes output as it comes; while a returned promise is pending, the guest's program waits. */
export type Sink = (chunk: Uint8Array) => void | Promise<void>;

/** Where a command's output goes; what has no sink is dropped. */
export interface Outlets {
  stdout?: Sink;
  stderr?: Sink;
}

const SOCKET_BYTES = 4 * 1024 * 1024;

const WAITING_BYTES = 1024 * 1024;

/**
 * Hands a channel's output to its sinks until the channel closed, with never much more in memory than
 * one SSH window: while a sink is busy, or more than a little waits to be taken, no more is asked for.
 * ssh2 1.17 shares one window between both streams and would reopen it for whichever is read, however
 * full the other is; so the window is held here.
 */
export function drain(channel: ClientChannel, outlets: Outlets): Promise<void> {
  const streams = [channel, channel.stderr] as unknown as HeldStream[];
  let busy = 0;
  let open = streams.length + 1; // and the channel itself, whose close comes after the exit code
  return new Promise((resolve, reject) => {
    const settle = () => open === 0 && busy === 0 && resolve();
    const sinks = { ...outlets };
    const held = () =>
      busy > 0 ||
      streams.reduce((sum, { readableLength }) => sum + readableLength, 0) > WAITING_BYTES;
    const reopeners = streams.map((stream) => holdWindow(channel, stream, held, reject));
    const reopen = () => {
      if (!held()) { for (const reopenOne of reopeners) reopenOne(); }
    };
    const release = () => {
      if (--busy > 0) return;
      for (const stream of streams) stream.resume();
      reopen();
      settle();
    };
    const deliver = (name: keyof Outlets, chunk: Uint8Array) => {
      const fail = (error: unknown) => {
        delete sinks[name]; // the other one goes on: it may still tell which process to end
        reject(error);
      };
      try {
        const taken = sinks[name]?.(chunk);
        if (!taken) return reopen();
        busy++;
        for (const stream of streams) stream.pause();
        taken.then(undefined, fail).then(release);
      } catch (error) {
        fail(error);
      }
    };
    channel.on("data", (chunk: Buffer) => deliver("stdout", chunk));
    channel.stderr.on("data", (chunk: Buffer) => deliver("stderr", chunk));
    const ended = () => {
      open--;
      settle();
    };
    for (const stream of streams) stream.once("end", ended);
    channel.once("close", ended);
  });
}

/** The parts of a Node readable that ssh2's channel streams are made of. */
interface HeldStream {
  readonly readableLength: number;
  push(chunk: Buffer | null): boolean;
  _read(size: number): void;
  pause(): void;
  resume(): void;
  once(event: "end", listener: () => void): void;
}

function holdWindow(
  channel: ClientChannel,
  stream: HeldStream,
  held: () => boolean,
  fail: (error: unknown) => void,
): () => void {
  const push = stream.push.bind(stream);
  const read = stream._read.bind(stream);
  const { incoming } = channel as unknown as { incoming: { window: number } };
  stream.push = (chunk) => {
    if (incoming.window < 0) {
      fail(new Error("more output than the SSH window allows"));
      return false;
    }
    return push(chunk) && !held();
  };
  stream._read = (size) => {
    if (!held()) read(size);
  };
  return () => read(0);
}

/** Sends a stream to a command's stdin, no faster than it reads, then the end. */
export async function feed(
  channel: ClientChannel,
  socket: Socket,
  stdin: ReadableStream<Uint8Array> | undefined,
  signal: AbortSignal,
): Promise<void> {
  const reader = stdin?.getReader();
  const over = new Promise<undefined>((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  try {
    while (reader && !signal.aborted) {
      const next = await Promise.race([reader.read(), over]);
      if (!next || next.done) break;
      if (!channel.write(next.value)) await Promise.race([drained(channel), over]);
      // A server that grants a huge window doesn't make us hold it all.
      if (socket.writableLength > SOCKET_BYTES) await Promise.race([drained(socket), over]);
    }
    if (!signal.aborted) channel.end();
  } finally {
    reader?.cancel().catch(() => {}); // whoever gave the stream learns that nobody reads it
  }
}

function drained(stream: { once(event: "drain", listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => stream.once("drain", resolve));
}
