import { join } from "node:path";
import { run } from "../../../lib/host/process.ts";
import { openImage } from "../../../lib/image/image.ts";
import { findQemuImg } from "../../../lib/qemu/installation.ts";
import { flatten } from "../../../lib/qemu/image_tool.ts";
import { median, msOf, round } from "../measure.ts";
import type { Bench } from "./bench.ts";

const TIMES = 7;

/** What `--expand` buys: reading all of a template's disk, packed and unpacked, through QEMU. */
export async function templatePart({ context, rows }: Bench): Promise<void> {
  const image = await openImage(context.home, "debian:12");
  const folder = await Deno.makeTempDir({ prefix: "nido-bench-" });
  try {
    const compact = { path: join(folder, "compact.qcow2"), ms: [] as number[] };
    const expanded = { path: join(folder, "expanded.qcow2"), ms: [] as number[] };
    await flatten(context, image.diskPath, compact.path, { compress: true });
    await flatten(context, image.diskPath, expanded.path, { compress: false });
    const program = await findQemuImg(context);
    const nowhere = `driver=null-co,size=${image.disk.virtualSizeBytes}`;
    for (let time = 0; time < TIMES; time++) {
      for (const { path, ms } of [compact, expanded]) {
        const args = ["convert", "-n", "-f", "qcow2", "--target-image-opts", path, nowhere];
        ms.push(await msOf(() => run(program, args)));
      }
    }
    const mib = async (path: string) => round((await Deno.stat(path)).size / 2 ** 20);
    const floor = median(expanded.ms);
    const named = [["an expanded template", expanded], ["a compact template", compact]] as const;
    for (const [what, { path, ms }] of named) {
      rows.push({
        what: `reading all of ${what} (${await mib(path)} MiB)`,
        value: round(median(ms)),
        unit: "ms",
        runs: TIMES,
        ratio: round(median(ms) / floor, 2),
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
