import { Buffer } from "node:buffer";
import type { Sink } from "./streams.ts";

const LIMIT_BYTES = 256 * 1024;

/** Takes out of a command's stderr what its wrapper tells there before the command begins. */
export interface Preamble {
  /** Takes the raw stderr and passes on what isn't the wrapper's. */
  sink: Sink;
  /** The process id that names the command's session; undefined when stderr ended without it. */
  pid: Promise<number | undefined>;
  folderRefused(): boolean;
  /** Passes on what was kept back: stderr has ended. */
  end(): void | Promise<void>;
}

/** Reads the wrapper's lines, each beginning with `token`; `lines` says how many there will be. */
export function readPreamble(token: string, lines: number, pass: Sink = () => {}): Preamble {
  const pid = Promise.withResolvers<number | undefined>();
  const line = new RegExp(`${token} ([0-9]{1,10}|in|out)\n`);
  let kept: Buffer | undefined = Buffer.alloc(0);
  let refused = false;

  function sink(chunk: Uint8Array): void | Promise<void> {
    if (!kept) return pass(chunk);
    kept = Buffer.concat([kept, chunk]);
    while (lines > 0) {
      const text = kept.toString("latin1");
      const found = line.exec(text);
      if (!found) break;
      kept = Buffer.from(text.replace(found[0], ""), "latin1");
      lines--;
      if (found[1] === "out") refused = true;
      else if (found[1] !== "in") pid.resolve(Number(found[1]));
    }
    if (lines <= 0 || kept.length > LIMIT_BYTES) return end();
  }

  function end(): void | Promise<void> {
    pid.resolve(undefined);
    const rest = kept;
    kept = undefined;
    if (rest?.length) return pass(rest);
  }

  return { sink, pid: pid.promise, folderRefused: () => refused, end };
}
