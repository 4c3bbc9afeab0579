import { dirname, join } from "node:path";
import type { Context } from "../../../lib/context.ts";
import { commandLines, startDetached } from "../../../lib/host/process.ts";
import { readQcow2 } from "../../../lib/image/qcow2.ts";
import { findQemu, findQemuImg } from "../../../lib/qemu/installation.ts";
import { Qmp } from "../../../lib/qemu/qmp.ts";
import { momentFiles, runFiles, vmFiles } from "../../../lib/store/files.ts";
import { runFolder } from "../../../lib/store/run_folder.ts";
import type { SoundVm } from "../../../lib/vm/vm.ts";

/** What it takes to wake a machine by hand. */
export interface BareWake {
  qemu: string;
  qemuImg: string;
  args: string[];
  disk: string;
  below: string;
  state: string;
  monitor: string;
  log: string;
  pidFile: string;
}

/** How a VM that has just woken was started; its machine is ended. */
export async function readWake(context: Context, vm: SoundVm): Promise<BareWake> {
  const line = (await commandLines([vm.pid!])).get(vm.pid!)!;
  const disk = join(vm.folder, vm.record.disk);
  const { backingFile } = await readQcow2(disk);
  const wake: BareWake = {
    qemu: (await findQemu(context, vm.record.architecture)).program,
    qemuImg: await findQemuImg(context),
    args: line.split(" ").slice(1),
    disk,
    below: backingFile!,
    state: join(dirname(backingFile!), momentFiles.state),
    monitor: join(await runFolder(context.home, vm), runFiles.work),
    log: join(vm.folder, vmFiles.qemuLog),
    pidFile: join(vm.folder, vmFiles.pid),
  };
  await end(wake);
  return wake;
}

/** The least that wakes a machine: its layer, QEMU with the very same arguments, its state, `cont`. */
export async function bareWake(wake: BareWake): Promise<number> {
  const { qemu, qemuImg, args, disk, below, state, monitor, log } = wake;
  await Deno.remove(disk);
  const since = performance.now();
  await new Deno.Command(qemuImg, {
    args: ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", below, disk],
  }).output();
  await startDetached(qemu, args, log, [state]);
  const qmp = await connect(monitor);
  const capabilities = ["events", "x-ignore-shared"]
    .map((capability) => ({ capability, state: true }));
  await qmp.execute("migrate-set-capabilities", { capabilities });
  const isLoaded = qmp.waitFor(({ data }) => data?.status === "completed", 60_000);
  await qmp.execute("migrate-incoming", { uri: "fd:3" });
  await isLoaded;
  await qmp.execute("cont");
  const spent = performance.now() - since;
  qmp.close();
  await end(wake);
  return spent;
}

async function end({ monitor, pidFile }: BareWake): Promise<void> {
  await using qmp = await connect(monitor);
  await qmp.execute("quit").catch(() => {}); // it ends before it answers
  await qmp.ended;
  while (await Deno.stat(pidFile).catch(() => undefined)) await pause(5);
}

async function connect(path: string): Promise<Qmp> {
  for (;;) {
    try {
      return await Qmp.connect(path);
    } catch {
      await pause(1);
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
