import { join } from "node:path";
import { setSetting } from "../../lib/config/set.ts";
import { connect } from "../../lib/guest/ssh.ts";
import { importImage } from "../../lib/image/import.ts";
import { exec } from "../../lib/vm/exec.ts";
import { sshTarget } from "../../lib/vm/reach.ts";
import { spawn } from "../../lib/vm/spawn.ts";
import { openSoundVm } from "../../lib/vm/vm.ts";
import { guestImage } from "../../tests/helpers/guest.ts";
import { medianMs, round, type Row } from "./measure.ts";
import { nido, withPlace } from "./place.ts";

/** A real guest: its cold boot, a command in it, what it costs when idle. */
export async function guestBench(): Promise<Row[]> {
  const rows: Row[] = [];
  await withPlace(async (context) => {
    await setSetting(context, "warm", "off");
    await importImage(context, { file: await guestImage(), name: "debian:12", force: false });
    const request = { name: "wren", image: "debian:12", memoryMib: 512, cpus: 2 };
    const since = performance.now();
    const { timings } = await spawn(context, {
      ...request,
      wait: "ready",
      timeoutSeconds: 900,
      rmOnFailure: false,
    });
    const seconds = (what: string, value = 0) =>
      rows.push({ what, value: round(value), unit: "s", runs: 1 });
    seconds("cold spawn to ready", (performance.now() - since) / 1000);
    seconds("  of it, until the SSH server answered", timings.bootSeconds);
    seconds("  of it, until first boot was finished", timings.readySeconds);

    const vm = await openSoundVm(context, "wren");
    const session = await connect(context, await sshTarget(context, vm), { timeoutMs: 60_000 });
    const warm = await medianMs(20, () => session.exec(["true"]));
    await session.close();
    const anew = await medianMs(
      10,
      () => exec(context, { name: "wren", command: ["true"], maxOutputBytes: 1024 }),
    );
    const process = await medianMs(10, () => nido(context, "exec", "wren", "--", "true"));
    const ms = (what: string, value: number, runs: number) =>
      rows.push({ what, value: round(value), unit: "ms", runs, ratio: round(value / warm, 2) });
    ms("exec true, on an open connection", warm, 20);
    ms("exec true, on a new connection", anew, 10);
    ms("nido exec, as a process", process, 10);

    await new Promise((resolve) => setTimeout(resolve, 20_000));
    const smaps = await Deno.readTextFile(`/proc/${vm.pid}/smaps_rollup`).catch(() => "");
    const pssKib = Number(/^Pss:\s+(\d+)/m.exec(smaps)?.[1] ?? 0);
    if (pssKib) {
      rows.push({
        what: "memory of an idle 512 MiB guest (PSS of its QEMU)",
        value: round(pssKib / 1024),
        unit: "MiB",
        runs: 1,
      });
    }
    let diskBytes = 0;
    for await (const entry of Deno.readDir(vm.folder)) {
      diskBytes += ((await Deno.stat(join(vm.folder, entry.name))).blocks ?? 0) * 512;
    }
    rows.push({
      what: "disk of an idle VM after first boot, without its image",
      value: round(diskBytes / 2 ** 20),
      unit: "MiB",
      runs: 1,
    });
  });
  return rows;
}
