import { join } from "node:path";
import type { Context } from "../../lib/context.ts";
import { commandLines, startDetached } from "../../lib/host/process.ts";
import { findQemu, findQemuImg } from "../../lib/qemu/installation.ts";
import { Qmp } from "../../lib/qemu/qmp.ts";
import { files, runFiles, vmFiles } from "../../lib/store/files.ts";
import { runFolder } from "../../lib/store/run_folder.ts";
import { removeVm } from "../../lib/vm/delete.ts";
import { spawn } from "../../lib/vm/spawn.ts";
import { openSoundVm, type SoundVm } from "../../lib/vm/vm.ts";
import { request } from "./list.ts";
import { median, medianMs, round, type Row } from "./measure.ts";
import { nido, withPlace } from "./place.ts";

const RUNS = 21;

/**
 * A spawn up to a running machine, against the least that anything could do: `qemu-img create`, QEMU
 * with the very same arguments, one monitor connection and `cont`.
 */
export async function spawnBench(): Promise<Row[]> {
  const rows: Row[] = [];
  await withPlace(async (context) => {
    const spawned: number[] = [];
    const bare: number[] = [];
    // In turn, so that both see the same load on the machine.
    for (let run = 0; run <= RUNS; run++) {
      const since = performance.now();
      await spawn(context, request("egg", "running"));
      spawned.push(performance.now() - since);
      const vm = await openSoundVm(context, "egg");
      const line = (await commandLines([vm.pid!])).get(vm.pid!)!;
      const args = line.split(" ").slice(1);
      await stop(context, vm);
      bare.push(await bareStart(context, vm, args));
      await removeVm(context, "egg", { force: true });
    }
    // The first run fills caches: home key, QEMU's version, accelerator, modules.
    const floor = median(bare.slice(1));
    const value = median(spawned.slice(1));
    rows.push(
      {
        what: "qemu-img create + QEMU start + cont (floor)",
        value: round(floor),
        unit: "ms",
        runs: RUNS,
      },
      {
        what: "spawn to running, in a program that is up",
        value: round(value),
        unit: "ms",
        runs: RUNS,
        ratio: round(value / floor, 2),
        aim: "aim: at most 1.3 x",
      },
    );
    let count = 0;
    const asProcess = await medianMs(
      11,
      () =>
        nido(
          context,
          "spawn",
          `vm-${count++}`,
          "--image",
          "tiny",
          "--memory",
          "128M",
          "--cpus",
          "1",
          "--wait",
          "running",
        ),
    );
    rows.push({
      what: "nido spawn --wait running, as a process",
      value: round(asProcess),
      unit: "ms",
      runs: 11,
      ratio: round(asProcess / floor, 2),
    });
  });
  return rows;
}

async function bareStart(context: Context, vm: SoundVm, args: string[]): Promise<number> {
  const disk = join(vm.folder, vmFiles.disk);
  const [qemu, qemuImg] = [await findQemu(context, "x86_64"), await findQemuImg(context)];
  const work = join(await runFolder(context.home, vm), runFiles.work);
  await Deno.remove(disk);
  const since = performance.now();
  const base = files.diskImage(context.home, vm.record.image.digest);
  await new Deno.Command(qemuImg, {
    args: ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, disk],
  }).output();
  await startDetached(qemu.program, args, join(vm.folder, vmFiles.qemuLog));
  const qmp = await connect(work);
  await qmp.execute("cont");
  const spent = performance.now() - since;
  qmp.close();
  await stop(context, vm);
  return spent;
}

async function stop(context: Context, vm: SoundVm): Promise<void> {
  await using qmp = await connect(join(await runFolder(context.home, vm), runFiles.work));
  await qmp.execute("quit").catch(() => {}); // it ends before it answers
  await qmp.ended;
  const pidFile = join(vm.folder, vmFiles.pid);
  while (await Deno.stat(pidFile).catch(() => undefined)) {
    await new Promise((done) => setTimeout(done, 5));
  }
}

async function connect(path: string): Promise<Qmp> {
  for (;;) {
    try {
      return await Qmp.connect(path);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}
