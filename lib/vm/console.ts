import { join } from "node:path";
import type { Context } from "../context.ts";
import { printable } from "../printable.ts";
import { CONSOLE_RING_BYTES } from "../qemu/command_line.ts";
import type { Qmp } from "../qemu/qmp.ts";
import { files, vmFiles } from "../store/files.ts";
import { takeLock, tryLockFile, withLock } from "../store/lock.ts";
import { writeFileAtomic } from "../store/record.ts";
import { socketPath, type SoundVm, type Vm, withMonitor } from "./vm.ts";

/** The console log is cut to this size, keeping its end. */
const LOG_BYTES = 1 << 20;

/**
 * Moves what the guest wrote since the last look from QEMU's ring into the VM's console log. The ring
 * keeps the newest megabyte while no command looks, so a flooding guest fills nothing.
 */
export async function collectConsole(context: Context, vm: Vm): Promise<void> {
  if (!vm.record || vm.pid === undefined) return;
  const sound = vm as SoundVm;
  await withLock(context, consoleLock(vm), async () => {
    const read = (qmp: Qmp) => readRing(context, sound, qmp);
    const bytes = await withMonitor(context, sound, "query", read).catch(() => undefined);
    if (bytes) await appendToConsoleLog(vm, bytes);
  });
}

/** The newest part of the console log, as the guest wrote it. */
export async function readConsoleLog(vm: Vm): Promise<Uint8Array> {
  return await Deno.readFile(join(vm.folder, vmFiles.consoleLog)).catch(() => new Uint8Array());
}

/** The last lines that the guest showed, as plain text. */
export async function lastConsoleLines(context: Context, vm: Vm, count: number): Promise<string[]> {
  await collectConsole(context, vm);
  const text = new TextDecoder().decode(await readConsoleLog(vm));
  return printable(text).split("\n").filter((line) => line.trim() !== "").slice(-count);
}

/**
 * Hands the live console over: gives a connection to it and takes it back afterwards. The log goes
 * on through `note`, because the ring rests meanwhile.
 */
export async function withConsole(
  context: Context,
  vm: SoundVm,
  use: (connection: Deno.UnixConn, note: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  await collectConsole(context, vm);
  using _lock = await takeLock(context, {
    what: openLock(vm),
    doing: `open the console of VM "${vm.name}"`,
    patienceMs: 1_000, // people close consoles, not time
  });
  const path = await socketPath(context, vm, "console");
  await withMonitor(context, vm, "query", (qmp) => giveToSocket(qmp, path));
  try {
    await Deno.chmod(path, 0o600);
    const connection = await Deno.connect({ transport: "unix", path });
    try {
      await use(
        connection,
        (bytes) => withLock(context, consoleLock(vm), () => appendToConsoleLog(vm, bytes)),
      );
    } finally {
      connection.close();
    }
  } finally {
    await withMonitor(context, vm, "query", giveToRing).catch(() => {}); // QEMU may have ended
  }
}

async function readRing(context: Context, vm: Vm, qmp: Qmp): Promise<Uint8Array> {
  const chardevs = await qmp.execute<{ label: string; filename: string }[]>("query-chardev");
  if (chardevs.find(({ label }) => label === "console")?.filename !== "ringbuf") {
    // A `nido console` has it now, or one that was killed did not give it back.
    using abandoned = await tryLockFile(files.lock(context.home, openLock(vm)), "take it back");
    if (abandoned) await giveToRing(qmp);
    return new Uint8Array();
  }
  const text = await qmp.execute<string>("ringbuf-read", {
    device: "console",
    size: CONSOLE_RING_BYTES,
    format: "base64",
  });
  return Uint8Array.fromBase64(text);
}

async function giveToSocket(qmp: Qmp, path: string): Promise<void> {
  const addr = { type: "unix", data: { path } };
  const backend = { type: "socket", data: { addr, server: true, wait: false } };
  await qmp.execute("chardev-change", { id: "console", backend });
}

async function giveToRing(qmp: Qmp): Promise<void> {
  const backend = { type: "ringbuf", data: { size: CONSOLE_RING_BYTES } };
  await qmp.execute("chardev-change", { id: "console", backend });
}

async function appendToConsoleLog(vm: Vm, bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0) return;
  const path = join(vm.folder, vmFiles.consoleLog);
  await Deno.writeFile(path, bytes, { append: true, mode: 0o600 });
  const { size } = await Deno.stat(path);
  if (size <= 2 * LOG_BYTES) return;
  const all = await Deno.readFile(path);
  await writeFileAtomic(path, all.subarray(all.length - LOG_BYTES));
}

function openLock(vm: Vm): string {
  return `console-open-${vm.name}`;
}

function consoleLock(vm: Vm) {
  return { what: `console-${vm.name}`, doing: `read the console of VM "${vm.name}"` };
}
