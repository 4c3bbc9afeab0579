import { type Context, makeContext } from "../context.ts";
import { ERROR_CODES, type NidoError, toNidoError } from "../errors.ts";
import type { Operation } from "../operation.ts";
import { operations } from "../operations.ts";
import { printable } from "../printable.ts";
import { homePath } from "../store/home.ts";
import { parseArguments, wantsJson } from "./arguments.ts";
import { ownTerminal } from "./own_terminal.ts";
import { type ProgressLine, progressLine } from "./progress.ts";
import { columns, paint, writeErr, writeOut } from "./streams.ts";
import { terminal } from "./terminal.ts";
import { nounOf, resolve } from "./words.ts";

/** The exit status of Nido's own failure where the status otherwise is the guest command's. */
const OWN_FAILURE = 125;
/** Details that a person is shown: the last lines of a console, a log or a failed program. */
const SHOWN_DETAILS = /^(stderr|lines|.*Lines)$/;
const INTERRUPTED = ERROR_CODES.cancelled.exit;

/** How a caller wants results. */
export interface Manner {
  json: boolean;
  quiet: boolean;
}

/** Runs one command line and gives the exit status. */
export async function main(argv: string[]): Promise<number> {
  if (argv[0] === "--version" || argv[0] === "-V") return await version();
  let command = "nido";
  try {
    const named = resolve(argv);
    if ("operation" in named) {
      command = named.operation;
      return await runOperation(await load(command), named.rest);
    }
    if ("terminal" in named) {
      command = named.terminal;
      return await runTerminal(command, named.rest);
    }
    const { topHelp, nounHelp, shortHelp } = await import("./help.ts");
    const asked = argv.length === 0 ? shortHelp : topHelp;
    writeOut("noun" in named ? await nounHelp(named.noun) : await asked());
    return 0;
  } catch (thrown) {
    const status = renderFailure(command, toNidoError(thrown), {
      json: wantsJson(argv),
      quiet: false,
    });
    return command === "ssh" && status !== INTERRUPTED ? OWN_FAILURE : status;
  }
}

async function runTerminal(word: string, argv: string[]): Promise<number> {
  if (argv[0] === "--help" || argv[0] === "-h") {
    const { terminalHelp } = await import("./help.ts");
    writeOut(terminalHelp(word));
    return 0;
  }
  return await terminal[word]!.run(argv);
}

/** Loads an operation of the list. */
export async function load(name: string): Promise<Operation> {
  return (await operations[name]!()).default;
}

async function version(): Promise<number> {
  const { thisNido } = await import("../this_nido.ts");
  writeOut(`nido ${thisNido.version}\n`);
  return 0;
}

/** Reads the arguments of one operation, calls it and shows what comes of it. */
export async function runOperation(operation: Operation, argv: string[]): Promise<number> {
  let manner: Manner = { json: wantsJson(argv), quiet: false };
  try {
    const { input, help, ...asked } = await parseArguments(operation, argv);
    manner = asked;
    if (help) {
      const { commandHelp } = await import("./help.ts");
      writeOut(await commandHelp(operation));
      return 0;
    }
    return await callOperation(operation, input, manner);
  } catch (thrown) {
    return failed(operation, toNidoError(thrown), manner);
  }
}

/** Calls an operation with Ctrl-C, progress and output connected, and renders the result. */
export async function callOperation(
  operation: Operation,
  input: unknown,
  manner: Manner,
): Promise<number> {
  const line = progressLine(manner.json || manner.quiet);
  try {
    const isOfSystem = nounOf(operation.name) === "system";
    const context = isOfSystem ? commandContext(manner, line) : await homeContext(manner, line);
    const result = await operation.call(context, input);
    line.clear();
    await renderSuccess(operation, result, context, manner);
    return operation.exitStatus?.(result) ?? 0;
  } catch (thrown) {
    line.clear();
    return failed(operation, toNidoError(thrown), manner);
  }
}

/** The context of a command that works with a home, which it opens. */
export async function homeContext(manner: Manner, line: ProgressLine): Promise<Context> {
  const context = commandContext(manner, line);
  const { openHome } = await import("../store/home_version.ts");
  await openHome(context);
  return context;
}

/** The context of this process's one command. */
function commandContext(manner: Manner, line: ProgressLine): Context {
  const clearly = (write: (chunk: Uint8Array) => void) => (chunk: Uint8Array) => {
    line.clear();
    write(chunk);
  };
  return {
    ...makeContext(homePath(), {
      signal: interruption(line),
      actor: { surface: "cli" },
      report: line.report,
      output: manner.json ? undefined : { stdout: clearly(writeOut), stderr: clearly(writeErr) },
    }),
    get stdin() {
      return Deno.stdin.isTerminal() ? undefined : Deno.stdin.readable;
    },
    get terminal() {
      return ownTerminal();
    },
  };
}

/** Aborts on the first Ctrl-C, so that work can clean up; the second one ends the process at once. */
function interruption(line: ProgressLine): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) Deno.exit(INTERRUPTED);
    line.clear();
    if (Deno.stderr.isTerminal()) writeErr("Cleaning up; Ctrl-C again leaves at once.\n");
    controller.abort(new DOMException("Interrupted", "AbortError"));
  };
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  return controller.signal;
}

async function renderSuccess(
  operation: Operation,
  result: Record<string, unknown>,
  context: Context,
  manner: Manner,
): Promise<void> {
  if (manner.json) return writeEnvelope(operation.name, { status: "ok", data: result });
  const text = await textOf(operation, result, context);
  if (text !== "") writeOut(text.endsWith("\n") ? text : `${text}\n`);
}

/** A result as a person reads it. */
export async function textOf(
  operation: Operation,
  result: Record<string, unknown>,
  context: Context,
): Promise<string> {
  if (operation.text) {
    const text = operation.text(result, context);
    return operation.verbatim ? text : printable(text);
  }
  const { renderResult } = await import("./render.ts");
  return renderResult(result, { width: columns(), heading: paint(Deno.stdout).bold });
}

function writeEnvelope(command: string, rest: Record<string, unknown>): void {
  writeOut(JSON.stringify({ schemaVersion: 1, command, ...rest }) + "\n");
}

function failed(operation: Operation, error: NidoError, manner: Manner): number {
  const status = renderFailure(operation.name, error, manner);
  const guestsStatus = operation.passThrough && operation.exitStatus;
  return guestsStatus && error.code !== "cancelled" ? OWN_FAILURE : status;
}

/** Shows an error and gives its exit status. */
export function renderFailure(command: string, error: NidoError, manner: Manner): number {
  const { code, message, hint, details } = error;
  if (manner.json) {
    writeEnvelope(command, { status: "error", error: { code, message, hint, details } });
  } else {
    const { red, cyan, dim } = paint(Deno.stderr);
    const lines = [`${red("error:")} ${printable(message)}`];
    for (const [name, value] of Object.entries(details ?? {})) {
      if (!Array.isArray(value) || !SHOWN_DETAILS.test(name)) continue;
      lines.push(...value.map((item) => dim(`  | ${printable(String(item))}`)));
    }
    if (hint) lines.push(`  ${cyan("try:")} ${printable(hint)}`);
    writeErr(lines.join("\n") + "\n");
  }
  return ERROR_CODES[code].exit;
}
