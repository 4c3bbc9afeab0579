import { NidoError } from "../errors.ts";
import { withConsole } from "../vm/console.ts";
import { mustBe, mustBeSound, openVm } from "../vm/vm.ts";
import { progressLine } from "./progress.ts";
import { homeContext } from "./run.ts";
import { writeErr, writeOut } from "./streams.ts";

/** Ctrl-], as telnet has it. */
const LEAVE = 0x1d;

/** Connects the terminal with a VM's serial console until Ctrl-] or the machine's end. */
export async function console(argv: string[]): Promise<number> {
  const [name] = argv;
  if (name === undefined || name.startsWith("-") || argv.length > 1) {
    throw new NidoError("invalid_input", "Cannot open a console: exactly one NAME is needed", {
      hint: "nido console --help",
    });
  }
  const context = await homeContext({ json: false, quiet: true }, progressLine(true));
  const vm = await openVm(context, name);
  mustBe(vm, "open the console of", ["running", "paused"]);
  await withConsole(context, mustBeSound(vm), async (connection, note) => {
    writeErr(`The console of "${name}"; Ctrl-] leaves it. Enter may be needed to wake it.\n`);
    const isTerminal = Deno.stdin.isTerminal();
    if (isTerminal) Deno.stdin.setRaw(true);
    try {
      await Promise.race([
        show(connection, note),
        type(connection, isTerminal),
        interrupted(context.signal),
      ]);
    } finally {
      if (isTerminal) Deno.stdin.setRaw(false);
    }
  });
  return 0;
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}

async function show(connection: Deno.UnixConn, note: (bytes: Uint8Array) => Promise<void>) {
  const chunk = new Uint8Array(16_384);
  for (;;) {
    const size = await connection.read(chunk).catch(() => null);
    if (size === null) return;
    // Noted first: killed in between, the log holds all that was shown.
    await note(chunk.slice(0, size));
    writeOut(chunk.subarray(0, size));
  }
}

async function type(connection: Deno.UnixConn, isTerminal: boolean) {
  const keys = new Uint8Array(1024);
  for (;;) {
    const size = await Deno.stdin.read(keys);
    if (size === null) break;
    const leaveAt = keys.subarray(0, size).indexOf(LEAVE);
    await connection.write(keys.subarray(0, leaveAt < 0 ? size : leaveAt));
    if (leaveAt >= 0) return;
  }
  if (isTerminal) return;
  await new Promise(() => {}); // typed from a pipe that ended: go on showing until interrupted
}
