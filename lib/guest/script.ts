import { Buffer } from "node:buffer";
import { NidoError } from "../errors.ts";
import { shown } from "./shell_words.ts";
import type { SshSession } from "./ssh.ts";

/** A shell script for a guest, and what it gets. */
export interface Script {
  /** What it is for, for messages: `read /etc/hosts`. */
  doing: string;
  text: string;
  /** Its `$1`, `$2`, ... */
  words?: (string | number)[];
  stdin?: Uint8Array;
  asUser?: string;
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** What a script said, without what the login shell said before it. */
export interface ScriptAnswer {
  exitCode: number;
  stdout: Uint8Array;
  stderr: Uint8Array;
}

const MOST_BYTES = 8 * 1024 * 1024;

/** Runs a POSIX shell script in a guest to its end. What it says is not to be believed. */
export async function runScript(session: SshSession, script: Script): Promise<ScriptAnswer> {
  const { doing, text, words = [], stdin, asUser, signal, timeoutMs } = script;
  const token = `nido-${crypto.randomUUID()}`;
  const begin = `echo ${token}; echo ${token} >&2\n`;
  const command = ["sh", "-c", begin + text, "nido", ...words.map(String)];
  const parts = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  let size = 0;
  const sink = (stream: keyof typeof parts) => (chunk: Uint8Array) => {
    size += chunk.length;
    if (size > MOST_BYTES) {
      throw new NidoError("integrity", `Cannot ${doing} in VM "${session.name}": it says too much`);
    }
    parts[stream].push(chunk.slice());
  };
  try {
    const { exitCode } = await session.exec(command, {
      asUser: asUser === session.user ? undefined : asUser,
      stdin: stdin && ReadableStream.from([stdin]),
      stdout: sink("stdout"),
      stderr: sink("stderr"),
      signal,
      timeoutMs,
    });
    const said = (stream: keyof typeof parts) => after(token, Buffer.concat(parts[stream]));
    return { exitCode, stdout: said("stdout"), stderr: said("stderr") };
  } catch (error) {
    throw inWords(error, command, doing);
  }
}

function after(token: string, said: Buffer): Uint8Array {
  const at = said.indexOf(`${token}\n`);
  return at < 0 ? new Uint8Array() : said.subarray(at + token.length + 1);
}

/** An error of a command as one of what the command is for. */
export function inWords(error: unknown, command: string[], doing: string): unknown {
  if (!(error instanceof NidoError)) return error;
  const { code, message, hint, details, cause } = error;
  const told = message.replace(
    new RegExp(`^Cannot (run|finish) "${RegExp.escape(shown(command))}"`),
    () => `Cannot ${doing}`,
  );
  return new NidoError(code, told, { hint, details, cause });
}

/** The last line that a script said on stderr: why it could not go on. */
export function lastLine(stderr: Uint8Array): string {
  return new TextDecoder().decode(stderr).trim().split("\n").at(-1)!.trim();
}

/**
 * A shell function that gives `length` bytes of a file from an `offset`, without reading what is
 * before: `slice FILE OFFSET LENGTH`. It needs only what busybox has.
 */
export const SLICE = `slice() {
  dd if="$1" bs=4096 skip=$(($2 / 4096)) count=$((($3 + 8191) / 4096)) 2>/dev/null |
    tail -c +$(($2 % 4096 + 1)) | head -c "$3"
}`;
