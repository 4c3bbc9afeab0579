import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { field, operation } from "../operation.ts";
import { printable } from "../printable.ts";
import { vmFiles } from "../store/files.ts";
import { collectConsole, readConsoleLog } from "./console.ts";
import { openVm, type Vm, vmField } from "./vm.ts";

const input = z.strictObject({
  name: vmField,
  source: z.enum(["console", "qemu"]).default("console").describe(
    "console: what the guest wrote to its serial console; qemu: what QEMU itself said",
  ),
  tail: z.int().min(1).max(1_000_000).default(200).describe("How many of the last lines"),
  follow: field("commandLine", z.boolean().default(false)).describe(
    "Go on showing new lines until interrupted or stopped",
  ),
});

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  text: z.string().describe("The lines, without control characters"),
  lines: z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe("How many lines the log holds"),
});

const LOOK_MS = 500;

/** Shows what a VM wrote to its console, or what QEMU said. */
export async function logs(
  context: Context,
  { name, source, tail, follow }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  const vm = await openVm(context, name);
  await collectConsole(context, vm);
  let shown = await read(vm, source);
  const lines = shown.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const result = { name, lines: lines.length, text: lines.slice(-tail).join("\n") };
  if (!follow || !context.output) return result;

  const show = (text: string) => context.output!.stdout(new TextEncoder().encode(text));
  await show(result.text + (shown.endsWith("\n") ? "\n" : ""));
  for (let now = vm; now.pid !== undefined && !context.signal.aborted;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    now = await openVm(context, name);
    await collectConsole(context, now);
    const next = await read(now, source);
    await show(next.startsWith(shown) ? next.slice(shown.length) : next);
    shown = next;
  }
  return { ...result, text: "" };
}

async function read(vm: Vm, source: "console" | "qemu"): Promise<string> {
  if (source === "console") return printable(new TextDecoder().decode(await readConsoleLog(vm)));
  return printable(await Deno.readTextFile(join(vm.folder, vmFiles.qemuLog)).catch(() => ""));
}

export default operation({
  name: "vm.logs",
  summary: "Show a VM's console",
  description: "The guest's serial console as kept in a bounded log, newest lines last.",
  effect: "read",
  input,
  output,
  positional: ["name"],
  examples: ["nido logs web", "nido logs web --follow", "nido logs web --source qemu"],
  text: ({ text }) => text,
  run: logs,
});
