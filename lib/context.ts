import type { IdleConnections } from "./idle_connections.ts";
import type { Call, Ended, Guard } from "./operation.ts";

/** What an operation tells about its progress while it works. */
export interface Progress {
  /** The stage it is in: `disk`, `qemu`, `boot`, `ready`, `copy`, ... */
  stage: string;
  /** One sentence for a person. */
  message: string;
  /** Bytes (or other units) done and in all, where that is known. */
  done?: number;
  total?: number;
  /** The host job that does it, where it has a process of its own. */
  job?: string;
}

/** Who calls, and through which surface. */
export interface Actor {
  surface: "cli" | "mcp" | "rest" | "library";
}

/** Where streamed output goes; a promise holds the source back until the chunk is taken. */
export interface Output {
  stdout(chunk: Uint8Array): void | Promise<void>;
  stderr(chunk: Uint8Array): void | Promise<void>;
}

/** How large a terminal is, in characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/** A terminal that was handed over; it is the caller's own again when this is disposed. */
export interface LentTerminal extends Disposable {
  /** Every key as it is typed, Ctrl-C too. */
  keys: ReadableStream<Uint8Array>;
}

/** The caller's own terminal, which a program in a guest can be given. */
export interface Terminal {
  /** What it understands, as `TERM` has it. */
  readonly type: string;
  size(): TerminalSize;
  /** Hands it over, and from then on tells of each new size. */
  lend(resized: (size: TerminalSize) => void): LentTerminal;
}

/** Everything an operation may use of the world around it; built once per process or request. */
export interface Context {
  /** Nido's home folder, an absolute path. */
  readonly home: string;
  /** The only way to cancel. */
  readonly signal: AbortSignal;
  readonly actor: Actor;
  report(progress: Progress): void;
  now(): Date;
  /** Present when the caller wants output as it comes (the command line without `--json`). */
  readonly output?: Output;
  /** Present when the caller has bytes for the command's standard input. */
  readonly stdin?: ReadableStream<Uint8Array>;
  /** Present when a person types: the command line on a terminal. */
  readonly terminal?: Terminal;
  /** What earlier calls left open, on a surface that lives longer than one call. */
  readonly idle?: IdleConnections;
  /** What stands around every call, the outermost first; a surface that others reach has some. */
  readonly guards?: Guard[];
  /** Does what takes long in a process of its own, on a surface that may be gone before the end. */
  readonly perform?: (context: Context, call: Call) => Promise<Record<string, unknown>>;
  /** Hears of every call when it has ended, refused ones too. */
  readonly audit?: (ended: Ended) => Promise<void>;
}

/** The same context without its signal: to clean up after an interrupt must not be interrupted by it. */
export function uninterrupted(context: Context): Context {
  return { ...context, signal: new AbortController().signal };
}

/** Makes a context for a program or a test: silent, uncancelled, with the parts it names. */
export function makeContext(home: string, parts: Partial<Context> = {}): Context {
  return {
    home,
    signal: new AbortController().signal,
    actor: { surface: "library" },
    report: () => {},
    now: () => new Date(),
    ...parts,
  };
}
