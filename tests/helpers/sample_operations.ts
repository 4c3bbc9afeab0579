import { z } from "zod";
import type { Context } from "../../lib/context.ts";
import { NidoError } from "../../lib/errors.ts";
import { field, operation } from "../../lib/operation.ts";

/** An operation with a field of every form that the command line takes. */
export const sample = operation({
  name: "vm.sample",
  summary: "Show what arrived",
  effect: "read",
  input: z.strictObject({
    name: z.string().optional().describe("A name"),
    memoryMib: z.int().min(1).default(512).describe("Memory"),
    diskGib: z.number().optional().describe("Disk"),
    timeoutSeconds: z.number().optional().describe("Time limit"),
    cpus: z.int().optional().describe("Processors"),
    wait: z.enum(["none", "running", "ready"]).default("ready").describe("What to wait for"),
    ports: z.array(z.string()).optional().describe("Ports"),
    labels: z.record(z.string(), z.string()).optional().describe("Labels"),
    userData: field("content", z.string()).optional().describe("User data"),
    sshKeys: z.array(field("content", z.string())).optional().describe("Keys"),
    force: z.boolean().default(false).describe("Without asking"),
    cache: z.boolean().default(true).describe("Keep a copy"),
  }),
  output: z.strictObject({ input: z.record(z.string(), z.unknown()).describe("What arrived") }),
  positional: ["name"],
  short: { force: "f" },
  examples: ["nido sample dev --memory 1G"],
  // deno-lint-ignore require-await
  run: async (_, input) => ({ input }),
});

/** An operation that takes a command of its own, as `exec` does; the command picks what happens. */
export const command = operation({
  name: "vm.command",
  summary: "Do as the command says",
  effect: "change",
  input: z.strictObject({
    name: z.string().describe("A name"),
    command: z.array(z.string()).min(1).describe("The command"),
    user: z.string().optional().describe("A user"),
    terminal: z.boolean().default(false).describe("With a terminal"),
    timeoutSeconds: z.number().optional().describe("Time limit"),
  }),
  output: z.strictObject({
    exitCode: z.int().describe("The command's exit code"),
    arrived: z.record(z.string(), z.unknown()).describe("What arrived"),
  }),
  positional: ["name", "command"],
  passThrough: true,
  short: { user: "u", terminal: "t" },
  exitStatus: ({ exitCode }) => exitCode,
  text: ({ arrived }) => String(arrived.told ?? ""),
  run: async (context, input) => {
    const [word, detail] = input.command;
    if (word === "exit") return { exitCode: Number(detail), arrived: input };
    if (word === "tell") return { exitCode: 0, arrived: { told: "left out a\x1b]0;owned\x07b" } };
    if (word === "fail") {
      throw new NidoError("unavailable", "Cannot reach it: \x1b[31mit is gone", {
        hint: "nido list",
        details: { consoleLines: ["first\x1b[2J", "second"] },
      });
    }
    if (word === "flood") {
      const chunk = new TextEncoder().encode("x".repeat(1023) + "\n");
      for (let kib = 0; kib < 65_536; kib++) context.output?.stdout(chunk);
    }
    if (word === "report") {
      context.report({ stage: "boot", message: "one" });
      context.report({ stage: "boot", message: "two" });
      context.report({ stage: "ready", message: "three", done: 1, total: 4 });
    }
    if (word === "cat") {
      const text = context.stdin ? await new Response(context.stdin).text() : "";
      context.output?.stdout(new TextEncoder().encode(text));
    }
    if (word === "keys") {
      await showKeys(context);
      context.output?.stdout(new TextEncoder().encode("given back\n"));
      await Deno.stdin.read(new Uint8Array(1));
    }
    if (word === "wait") {
      context.output?.stdout(new TextEncoder().encode("waiting\n"));
      const beat = setInterval(() => {}, 50);
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      if (detail === "forever") await new Promise(() => {});
      clearInterval(beat);
      context.output?.stdout(new TextEncoder().encode("cleaned\n"));
      context.signal.throwIfAborted();
    }
    return { exitCode: 0, arrived: input };
  },
});

/** Shows the terminal, its keys and its new sizes, until `q` ends it, `e` fails or `x` leaves at once. */
async function showKeys({ terminal, output, signal }: Context): Promise<void> {
  const say = (line: string) => void output?.stdout(new TextEncoder().encode(`${line}\r\n`));
  if (!terminal) return say("no terminal");
  using lent = terminal.lend(({ columns, rows }) => say(`now ${columns}x${rows}`));
  const { columns, rows } = terminal.size();
  say(`lent ${terminal.type} ${columns}x${rows}`);
  signal.addEventListener("abort", () => say("aborted"));
  for await (const typed of lent.keys) {
    for (const key of typed) {
      say(`key ${key.toString(16)}`);
      if (key === 0x71) return;
      if (key === 0x65) throw new NidoError("unavailable", "Cannot go on: it is gone");
      if (key === 0x78) Deno.exit(9);
    }
  }
}

if (import.meta.main) {
  const { runOperation } = await import("../../lib/cli/run.ts");
  const [which, ...rest] = Deno.args;
  Deno.exit(await runOperation(which === "sample" ? sample : command, rest));
}
