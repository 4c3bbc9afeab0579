import type { Terminal, TerminalSize } from "../context.ts";

/** The terminal that this process reads from; undefined where standard input is something else. */
export function ownTerminal(): Terminal | undefined {
  if (!Deno.stdin.isTerminal()) return undefined;
  return {
    get type() {
      return Deno.env.get("TERM") || "xterm";
    },
    size,
    lend(resized) {
      const changed = () => resized(size());
      Deno.stdin.setRaw(true); // where the process ends before it is given back, Deno 2.9 does that
      if (HAS_WINCH) Deno.addSignalListener("SIGWINCH", changed);
      return {
        keys: keys(),
        [Symbol.dispose]() {
          if (HAS_WINCH) Deno.removeSignalListener("SIGWINCH", changed);
          Deno.stdin.setRaw(false);
        },
      };
    },
  };
}

const HAS_WINCH = Deno.build.os !== "windows";

function size(): TerminalSize {
  try {
    const { columns, rows } = Deno.consoleSize();
    if (columns > 0 && rows > 0) return { columns, rows };
  } catch {
    // a terminal that doesn't tell its size
  }
  return { columns: 80, rows: 24 };
}

/** Not `Deno.stdin.readable`: cancelling that one closes the terminal, which then stays raw. */
function keys(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const typed = new Uint8Array(4096);
      const count = await Deno.stdin.read(typed);
      if (count === null) controller.close();
      else controller.enqueue(typed.subarray(0, count));
    },
  }, { highWaterMark: 0 });
}
