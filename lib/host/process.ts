import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { NidoError } from "../errors.ts";
import { thisNido } from "../this_nido.ts";

/** What a finished program left behind. */
export interface Finished {
  code: number;
  stdout: Uint8Array;
  stderr: string;
}

/** How to run a program. */
export interface RunOptions {
  signal?: AbortSignal;
  /** Codes that are an answer rather than a failure; default only 0. */
  accept?: number[];
  timeoutMs?: number;
  env?: Record<string, string>;
  /** Hears standard output while it comes; the result then holds none. */
  hear?: (stdout: Uint8Array) => void;
  /** Hears standard error while it comes; the result then holds the end of it. */
  hearErrors?: (stderr: Uint8Array) => void;
  /**
   * All that it starts ends with it: when it is interrupted, and also when this process is killed. For
   * Linux, with the programs of util-linux.
   */
  together?: boolean;
}

const KEPT_ERRORS = 65_536;

// The leader of the group is told when this process is gone. It asks all others to end, and makes them
// after a while. A parent that was gone before the kernel was asked to tell of it has another number.
const LEADER = `
[ "$PPID" = "$1" ] || exit 1
shift
end() {
  trap "" TERM
  kill -TERM 0
  (sleep 10; kill -KILL 0) &
  wait $child
  kill -KILL 0
}
trap end TERM
"$@" &
child=$!
wait $child`;

const TOGETHER = ["--pdeathsig", "TERM", "setsid", "sh", "-c", LEADER, "sh"];

/**
 * Runs a program to its end. A missing one is `host_missing`; a failed one is `tool_failed` with its
 * arguments, exit code, duration and last lines of stderr.
 */
export async function run(
  program: string,
  args: string[],
  options: RunOptions = {},
): Promise<Finished> {
  const since = performance.now();
  const limit = options.timeoutMs === undefined
    ? undefined
    : AbortSignal.timeout(options.timeoutMs);
  const signals = [options.signal, limit].filter((signal) => signal !== undefined);
  const words = options.together ? [...TOGETHER, String(Deno.pid), program, ...args] : args;
  const started = options.together ? "setpriv" : program;
  let output: Deno.CommandOutput;
  try {
    const child = new Deno.Command(started, {
      args: words,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.any(signals),
      env: options.env,
    }).spawn();
    output = options.hear || options.hearErrors
      ? await heard(child, options)
      : await child.output();
  } catch (cause) {
    throw cause instanceof Deno.errors.NotFound ? missingProgram(started, cause) : cause;
  }
  options.signal?.throwIfAborted();
  const stderr = new TextDecoder().decode(output.stderr);
  if (limit?.aborted) {
    throw new NidoError("timeout", `${program} did not finish within ${options.timeoutMs} ms`, {
      details: { program, args },
    });
  }
  if (!(options.accept ?? [0]).includes(output.code)) {
    throw toolFailed(program, args, output.code, performance.now() - since, stderr);
  }
  return { code: output.code, stdout: output.stdout, stderr };
}

async function heard(
  child: Deno.ChildProcess,
  { hear, hearErrors }: RunOptions,
): Promise<Deno.CommandOutput> {
  const [status, stdout, stderr] = await Promise.all([
    child.status,
    hear ? listen(child.stdout, hear, 0) : child.stdout.bytes(),
    hearErrors ? listen(child.stderr, hearErrors, KEPT_ERRORS) : child.stderr.bytes(),
  ]);
  return { ...status, stdout, stderr };
}

/** Tells what comes while it comes, and gives the end of it. */
async function listen(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  hear: (chunk: Uint8Array) => void,
  keptBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let end = new Uint8Array();
  for await (const chunk of stream) {
    hear(chunk);
    if (keptBytes === 0) continue;
    const joined = new Uint8Array(end.length + chunk.length);
    joined.set(end);
    joined.set(chunk, end.length);
    end = joined.slice(-keptBytes);
  }
  return end;
}

/** The error for a program that ran and failed. */
export function toolFailed(
  program: string,
  args: string[],
  exitCode: number,
  durationMs: number,
  stderr: string,
): NidoError {
  const lastLines = stderr.trim().split("\n").slice(-8);
  const told = lastLines.at(-1) || `it ended with exit code ${exitCode}`;
  return new NidoError("tool_failed", `${program} failed: ${told}`, {
    details: { program, args, exitCode, durationMs: Math.round(durationMs), stderr: lastLines },
  });
}

/** The error for a program that this host doesn't have. */
export function missingProgram(program: string, cause?: unknown): NidoError {
  return new NidoError("host_missing", `${program} is not installed (looked for it on PATH)`, {
    hint: "nido doctor",
    details: { program },
    cause,
  });
}

/**
 * Runs a program on this terminal: it reads, writes and gets Ctrl-C itself. Resolves with its exit
 * code; a signal counts as 128 + n.
 */
export async function runInteractive(program: string, args: string[]): Promise<number> {
  const ignore = () => {}; // Ctrl-C reaches the program too, and what it means is the program's to say
  Deno.addSignalListener("SIGINT", ignore);
  try {
    const stdio = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
    return (await new Deno.Command(program, { args, ...stdio }).spawn().status).code;
  } catch (cause) {
    throw cause instanceof Deno.errors.NotFound ? missingProgram(program, cause) : cause;
  } finally {
    Deno.removeSignalListener("SIGINT", ignore);
  }
}

/** What stands for the exit code of a program that a signal ended. */
export const KILLED = 128;

/** A program started in a session of its own, which outlives this process. */
export interface Detached {
  pid: number;
  /** Resolves with the exit code when it ends while we still live; KILLED when a signal ended it. */
  exited: Promise<number>;
  /** Whether it has ended: its pid may be somebody else's then. */
  isOver(): boolean;
  /** The exit code when it ends, and keeps this process alive until then. */
  ended(): Promise<number>;
}

/** The number under which a detached program finds the first file that it was lent. */
export const FIRST_LENT_FILE = 3;

/**
 * Starts a program that goes on when Nido ends. Its output goes to a file: an inherited stderr would
 * keep the caller's pipe open for ever. It sees nothing of this process's environment but PATH: what
 * lives long needs no secrets. It can be lent files to read.
 */
export function startDetached(
  program: string,
  args: string[],
  logFile: string,
  lent: string[] = [],
): Promise<Detached> {
  const log = openSync(logFile, "a", 0o600);
  const files = lent.map((path) => openSync(path, "r"));
  const child = spawn(program, args, {
    detached: true,
    stdio: ["ignore", log, log, ...files],
    env: { PATH: Deno.env.get("PATH") ?? "" },
  });
  for (const file of [log, ...files]) closeSync(file);
  child.unref();
  return new Promise((resolve, reject) => {
    const exited = new Promise<number>((ended) => {
      child.once("exit", (code, signal) => ended(code ?? (signal ? KILLED : 1)));
    });
    const isOver = () => child.exitCode !== null || child.signalCode !== null;
    child.once("error", (cause) => {
      const absent = "code" in cause && cause.code === "ENOENT";
      reject(absent ? missingProgram(program, cause) : cause);
    });
    const ended = () => {
      child.ref();
      return exited;
    };
    if (child.pid !== undefined) resolve({ pid: child.pid, exited, isOver, ended });
  });
}

/** Whether this process may start Nido once more; among narrow permissions that one is missing. */
export async function mayStartItself(): Promise<boolean> {
  const asked = { name: "run", command: Deno.execPath() } as const;
  return (await Deno.permissions.query(asked)).state === "granted";
}

/**
 * Starts Nido once more, in a session of its own that outlives this process, hands it its standard
 * input and gives the first line that it says.
 */
export async function startItself(
  words: string[],
  input: string,
  env: Record<string, string>,
): Promise<string> {
  // In one file with everything else, that file is the program.
  const isBundled = thisNido.kind === "bundle";
  const main = isBundled ? import.meta.url : import.meta.resolve("../../main.ts");
  const child = new Deno.Command(Deno.execPath(), {
    args: Deno.build.standalone ? words : ["run", "--allow-all", main, ...words],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    detached: true,
  }).spawn();
  const sent = new Blob([input]).stream().pipeTo(child.stdin).catch(() => {}); // its answer says why
  let said = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += part;
    if (said.includes("\n")) break;
  }
  await sent;
  child.unref();
  return said.split("\n")[0]!;
}

/** The command lines of those of the given processes that live, by pid. Zombies don't count. */
export async function commandLines(pids: number[]): Promise<Map<number, string>> {
  if (pids.length === 0) return new Map();
  return await listProcesses(["-p", pids.join(",")]);
}

/** The command lines of all processes that live, by pid. */
export async function allCommandLines(): Promise<Map<number, string>> {
  return await listProcesses(["-ax"]);
}

async function listProcesses(which: string[]): Promise<Map<number, string>> {
  const args = ["-ww", "-o", "pid=,stat=,args=", ...which];
  const stdout = await ps(args);
  const found = new Map<number, string>();
  for (const line of stdout.split("\n")) {
    const match = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    if (match && !match[2]!.startsWith("Z")) found.set(Number(match[1]), match[3]!);
  }
  return found;
}

// It ends with 1 where it finds no process, and also where it could not look: then it says why.
async function ps(args: string[]): Promise<string> {
  const since = performance.now();
  // In the C locale it writes "?" for every letter that is not ASCII, and a path is known no more.
  const env = { LC_ALL: "C.UTF-8" };
  const { code, stdout, stderr } = await run("ps", args, { accept: [0, 1], env });
  if (code === 1 && stderr !== "") {
    throw toolFailed("ps", args, code, performance.now() - since, stderr);
  }
  return new TextDecoder().decode(stdout);
}

/**
 * Whether a process is over, and with it all that it held open: it is gone, or a zombie of which no
 * thread lives on (ps shows those as `Zl`).
 */
export async function hasEnded(pid: number): Promise<boolean> {
  const stat = (await ps(["-o", "stat=", "-p", String(pid)])).trim();
  return stat === "" || /^Z[^l]*$/.test(stat);
}

/** Sends a signal; a process that is gone already is fine. */
export async function sendSignal(
  pid: number,
  signal: "TERM" | "KILL" | "STOP" | "CONT",
): Promise<void> {
  await run("kill", [`-${signal}`, String(pid)], { accept: [0, 1] });
}
