import { openSoundVm } from "../../../lib/vm/vm.ts";
import { median, msOf, msRow, round } from "../measure.ts";
import { nido } from "../place.ts";
import { answers, type Bench, hatch, remove, RUNS } from "./bench.ts";
import { bareWake, readWake } from "./floor.ts";

/** A spawn from warm memory: to running beside the least that could do that, and to a command's output. */
export async function warmPart(bench: Bench): Promise<void> {
  const { context, measured } = bench;
  const running: number[] = [];
  const bare: number[] = [];
  const answered: number[] = [];
  const asProcess: number[] = [];
  // In turn, so that all see the same load on the machine; the first run fills caches.
  for (let run = 0; run <= RUNS; run++) {
    running.push(await msOf(() => hatch(bench, "egg", "running")));
    const wake = await readWake(context, await openSoundVm(context, "bench-egg"));
    bare.push(await bareWake(wake));
    await remove(bench, "egg");
    answered.push(
      await msOf(async () => {
        await hatch(bench, "egg", "ready");
        await answers(bench, "egg");
      }),
    );
    await remove(bench, "egg");
    asProcess.push(
      await msOf(async () => {
        const image = ["--image", "debian:12", "--memory", "512M"];
        await nido(context, "spawn", "bench-egg", ...image);
        await nido(context, "exec", "bench-egg", "--", "uname", "-n");
      }),
    );
    await remove(bench, "egg");
  }
  for (const times of [running, bare, answered, asProcess]) times.shift();
  const floor = median(bare);
  measured.warmMs = median(answered);
  bench.rows.push(
    msRow("(e) qemu-img, QEMU start, state load, cont (floor)", bare),
    msRow("(b) warm spawn to running", running, {
      ratio: round(median(running) / floor, 2),
      aim: "of (e), aim: at most 1.5",
    }),
    msRow("(c) warm spawn to the first command's output", answered, {
      ratio: measured.coldMs && round(measured.warmMs / measured.coldMs, 4),
      aim: "of (a), aim: at most 0.025",
    }),
    msRow("    the same as two processes, nido spawn and nido exec", asProcess),
  );
}
