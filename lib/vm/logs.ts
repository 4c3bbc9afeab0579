import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { field, operation } from "../operation.ts";
import { printable } from "../printable.ts";
import { vmFiles } from "../store/files.ts";
import { collectConsole, readConsoleLog } from "./console.ts";
import { listVms, openVm, type Vm, vmField } from "./vm.ts";

const input = z.strictObject({
  name: vmField.optional(),
  source: z.enum(["console", "qemu"]).default("console").describe(
    "console: what the guest wrote to its serial console; qemu: what QEMU itself said",
  ),
  tail: z.int().min(1).max(1_000_000).default(200).describe("How many of the last lines"),
  follow: field("commandLine", z.boolean().default(false)).describe(
    "Go on showing new lines until interrupted or stopped",
  ),
  all: field("commandLine", z.boolean().default(false)).describe("The logs of every VM"),
  output: field("commandLine", z.string().min(1)).optional().describe(
    "Folder to write whole logs to, with a folder for each VM",
  ),
});

const output = z.strictObject({
  name: z.string().optional().describe("Name of the VM; absent with all"),
  text: z.string().describe("The lines, without control characters"),
  lines: z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe("How many lines the log holds"),
  files: z.array(z.string()).optional().describe("The files that were written"),
});

const LOOK_MS = 500;

/** Shows what a VM wrote to its console, or what QEMU said; or keeps both, of one VM or of all. */
export async function logs(
  context: Context,
  request: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  const { name, all, output: folder } = request;
  const refuse = (fact: string, hint: string) =>
    new NidoError("invalid_input", `Cannot show logs: ${fact}`, { hint });
  if ((name === undefined) !== all) {
    throw refuse("name one VM, or ask for all", "nido logs NAME, or nido logs --all --output DIR");
  }
  if (folder !== undefined) {
    const names = name === undefined ? (await listVms(context)).map(({ name }) => name) : [name];
    const files = await Promise.all(names.map((name) => keepLogs(context, name, folder)));
    return { name, text: "", lines: 0, files: files.flat() };
  }
  if (name === undefined) {
    throw refuse("those of all VMs go to a folder", "nido logs --all --output DIR");
  }
  return await showLogs(context, { ...request, name });
}

async function showLogs(
  context: Context,
  { name, source, tail, follow }: z.output<typeof input> & { name: string },
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

/** Writes both logs of a VM, without control characters; gives the files. */
async function keepLogs(context: Context, name: string, folder: string): Promise<string[]> {
  const vm = await openVm(context, name);
  await collectConsole(context, vm).catch(() => {}); // a broken VM has none to collect
  await Deno.mkdir(join(folder, name), { recursive: true });
  return await Promise.all((["console", "qemu"] as const).map(async (source) => {
    const path = join(folder, name, `${source}.log`);
    await Deno.writeTextFile(path, await read(vm, source));
    return path;
  }));
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
  examples: [
    "nido logs web",
    "nido logs web --follow",
    "nido logs web --source qemu",
    "nido logs --all --output ./logs",
  ],
  text: ({ text, files }) => files ? files.join("\n") : text,
  run: logs,
});
