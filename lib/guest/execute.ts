// @ts-types="@types/ssh2"
import type { ClientChannel, PseudoTtyOptions } from "ssh2";
import type { Terminal } from "../context.ts";
import { NidoError } from "../errors.ts";
import { killLine } from "./kill.ts";
import type { Link } from "./link.ts";
import { notBegun } from "./not_begun.ts";
import { readPreamble } from "./preamble.ts";
import { commandLine, type Setting, shown } from "./shell_words.ts";
import { drain, feed, type Sink } from "./streams.ts";

/** How a command runs in a guest. */
export interface ExecOptions extends Setting {
  /** Default: nothing, an end at once. */
  stdin?: ReadableStream<Uint8Array>;
  stdout?: Sink;
  stderr?: Sink;
  /** Gives the command this terminal: its keys are stdin, and stderr comes with stdout. */
  terminal?: Terminal;
  /** Interrupts this command besides the session's own signal. */
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** How a command in a guest ended. */
export interface ExecResult {
  /** 128 + n when a signal ended it. */
  exitCode: number;
  /** `SIGKILL`, ... when a signal ended it. */
  signal?: string;
  durationMs: number;
}

/** What sshd tells of a process that ended. */
interface Exit {
  code: number | null;
  signal?: string;
}

// A guest without acceleration on a busy machine needs seconds for each step.
const START_MS = 15_000;
const KILL_MS = 30_000;

/** Runs one command on a connection to its end; a timeout or interruption ends all of it first. */
export async function execute(
  link: Link,
  command: string[],
  options: ExecOptions,
): Promise<ExecResult> {
  const token = `nido-${crypto.randomUUID()}`;
  const line = commandLine(command, options, token);
  using stop = stopper(link, command, options);
  stop.check();
  const started = performance.now();
  const { terminal } = options;
  const cannot = `Cannot run "${shown(command)}"`;
  const { channel, exit } = await openChannel(link, line, cannot, terminal);
  const expected = { asUser: options.asUser !== undefined, inFolder: options.cwd !== undefined };
  const preamble = readPreamble(token, expected, terminal ? options.stdout : options.stderr);
  const feeding = new AbortController();
  const drained = drain(
    channel,
    terminal ? { stdout: preamble.sink } : { stdout: options.stdout, stderr: preamble.sink },
  ).then(() => preamble.end());
  using lent = terminal?.lend(({ rows, columns }) => channel.setWindow(rows, columns, 0, 0));
  const stdin = lent ? lent.keys : options.stdin;
  const fed = feed(channel, link.socket, stdin, feeding.signal).then(() => drained);
  try {
    await Promise.race([drained, fed, stop.promise]);
  } catch (error) {
    fed.catch(() => {}); // the first failure is the one that counts
    drained.catch(() => {});
    const pid = await within(START_MS, preamble.pid);
    const killed = await endFamily(link, channel, pid, exit() !== undefined);
    channel.close();
    throw killed || !(error instanceof NidoError) ? error : survived(link, error);
  } finally {
    feeding.abort();
  }
  const end = exit();
  if (!end) throw gone(link, command);
  const refused = notBegun(link.name, command, options, preamble);
  if (refused) throw refused;
  return { ...ending(end), durationMs: Math.round(performance.now() - started) };
}

/** A command that was started, and how it ended once that is known. */
interface Started {
  channel: ClientChannel;
  exit: () => Exit | undefined;
}

function openChannel(
  link: Link,
  line: string,
  cannot: string,
  terminal?: Terminal,
): Promise<Started> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: unknown) =>
      reject(
        new NidoError("unavailable", `${cannot} in VM "${link.name}": ${refusal(cause)}`, {
          hint: `nido info ${link.name}`,
          cause,
        }),
      );
    try {
      link.client.exec(line, terminal ? { pty: ptyOf(terminal) } : {}, (error, channel) => {
        if (error) return refuse(error);
        // Race: the whole life of a quick command can be in the bytes that ssh2 parses right now, so
        // the exit is listened for before anything is awaited.
        let exit: Exit | undefined;
        channel.on("exit", (code: number | null, signal?: string) => exit = { code, signal });
        resolve({ channel, exit: () => exit });
      });
    } catch (error) {
      refuse(error);
    }
  });
}

function ptyOf(terminal: Terminal): PseudoTtyOptions {
  const { columns, rows } = terminal.size();
  return { term: terminal.type, cols: columns, rows, width: 0, height: 0 };
}

function refusal(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : "";
  if (message.includes("open failed")) {
    return "the guest allows no more commands on this connection";
  }
  if (message.includes("pseudo-terminal")) return "the guest gives it no terminal";
  return "the connection is gone";
}

/** Ends every process of a command, in the guest itself, and tells whether that was proven. */
async function endFamily(
  link: Link,
  channel: ClientChannel,
  pid: number | undefined,
  leaderEnded: boolean,
): Promise<boolean> {
  if (pid !== undefined && pid > 1) {
    try {
      const killer = await openChannel(link, killLine(pid, leaderEnded), "Cannot end a command");
      killer.channel.end();
      await within(KILL_MS, drain(killer.channel, {}));
      killer.channel.close();
      if (killer.exit()?.code === 0) return true;
    } catch {
      // No channel left for it: sshd itself is asked below.
    }
  }
  channel.signal("KILL"); // OpenSSH since 7.9: the command's process group
  return false;
}

/** Rejects when the command must stop: its time is over, or somebody interrupted. */
function stopper(link: Link, command: string[], options: ExecOptions) {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {}); // it may come after the end, when nobody listens
  const cannot = `Cannot finish "${shown(command)}" in VM "${link.name}"`;
  const abort = () => reject(new NidoError("cancelled", `${cannot}: it was interrupted`));
  const late = () =>
    reject(
      new NidoError(
        "timeout",
        `${cannot}: it ran longer than ${(options.timeoutMs ?? 0) / 1000} s`,
        {
          hint: "give it more time with --timeout, or run it in the background of the guest",
        },
      ),
    );
  const signals = [link.signal, options.signal].filter((signal) => signal !== undefined);
  for (const signal of signals) signal.addEventListener("abort", abort);
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(late, options.timeoutMs);
  return {
    promise,
    check() {
      if (signals.some((signal) => signal.aborted)) {
        throw new NidoError("cancelled", `${cannot}: it was interrupted`);
      }
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener("abort", abort);
    },
  };
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<undefined>((resolve) =>
    timer = setTimeout(() => resolve(undefined), ms)
  );
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}

function survived(link: Link, error: NidoError): NidoError {
  return new NidoError(error.code, `${error.message}; it may still be running in the guest`, {
    hint: `nido exec ${link.name} -- ps -ef`,
    cause: error,
  });
}

function gone(link: Link, command: string[]): NidoError {
  return new NidoError(
    "unavailable",
    `Cannot finish "${shown(command)}" in VM "${link.name}": the connection ended before it did`,
    { hint: `nido info ${link.name}` },
  );
}

function ending({ code, signal = "SIGUNKNOWN" }: Exit): { exitCode: number; signal?: string } {
  return code === null ? { exitCode: 128 + (SIGNALS[signal] ?? 0), signal } : { exitCode: code };
}

const SIGNALS: Record<string, number> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGABRT: 6,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
};
