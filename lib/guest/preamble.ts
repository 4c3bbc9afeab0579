import { Buffer } from "node:buffer";
import type { Sink } from "./streams.ts";

const LIMIT_BYTES = 256 * 1024;

/** Takes out of a command's stderr what its wrapper tells there before the command begins. */
export interface Preamble {
  /** Takes the raw stderr and passes on what isn't the wrapper's. */
  sink: Sink;
  /** The process id that names the command's session; undefined when stderr ended without it. */
  pid: Promise<number | undefined>;
  /** Whether the wrapper said this word. */
  told(word: Told): boolean;
  /** Passes on what was kept back: stderr has ended. */
  end(): void | Promise<void>;
  /** What stood in the place of the wrapper's word `as`: sudo's reason to refuse the user. */
  refusal(): string;
}

/** What a wrapper says: the user can't be entered, or was; the folder was entered, or can't be. */
export type Told = "nosudo" | "nouser" | "as" | "in" | "out";

/** Which words the wrapper is going to say after its process id. */
export interface Expected {
  asUser: boolean;
  inFolder: boolean;
}

/** Reads the wrapper's lines, each beginning with `token`. */
export function readPreamble(token: string, expected: Expected, pass: Sink = () => {}): Preamble {
  const pid = Promise.withResolvers<number | undefined>();
  // a terminal ends its lines with \r\n
  const line = new RegExp(`${token} ([0-9]{1,10}|nosudo|nouser|as|in|out)\r?\n`);
  const told = new Set<string>();
  let missing = 1 + Number(expected.asUser) + Number(expected.inFolder);
  let kept: Buffer | undefined = Buffer.alloc(0);

  function sink(chunk: Uint8Array): void | Promise<void> {
    if (!kept) return pass(chunk);
    kept = Buffer.concat([kept, chunk]);
    while (missing > 0) {
      const text = kept.toString("latin1");
      const found = line.exec(text);
      if (!found) break;
      kept = Buffer.from(text.replace(found[0], ""), "latin1");
      missing--;
      told.add(found[1]!);
      if (/^[0-9]/.test(found[1]!)) pid.resolve(Number(found[1]));
    }
    if (missing <= 0 || kept.length > LIMIT_BYTES) return flush();
  }

  function flush(): void | Promise<void> {
    pid.resolve(undefined);
    const rest = kept;
    kept = undefined;
    if (rest?.length) return pass(rest);
  }

  return {
    sink,
    pid: pid.promise,
    told: (word) => told.has(word),
    end() {
      if (!expected.asUser || told.has("as")) return flush();
      pid.resolve(undefined); // what sudo said is told as an error, not as the command's output
    },
    refusal: () => (kept?.toString() ?? "").trim().split("\n").at(-1)!.trim(),
  };
}
