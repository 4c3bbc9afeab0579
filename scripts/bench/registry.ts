import { join } from "node:path";
import { findEntry } from "../../lib/catalog/find.ts";
import { parseCatalog } from "../../lib/catalog/catalog.ts";
import type { NamedReference } from "../../lib/catalog/reference.ts";
import type { Context } from "../../lib/context.ts";
import { run } from "../../lib/host/process.ts";
import { importImage } from "../../lib/image/import.ts";
import { digestOfFile } from "../../lib/store/sealed_file.ts";
import { bootableBytes } from "../../tests/image/fixture.ts";
import { median, medianMs, msOf, msRow, round, type Row } from "./measure.ts";
import { MAIN, nido, withPlace } from "./place.ts";

const RUNS = 15;
const PULLS = 3;
const IMAGES = 20;
const MIB = 1024 * 1024;
const SIZE_MIB = 2048;

/** Pulls from this host against `curl | sha256sum`, their memory, the catalog, and the list. */
export async function registryBench(): Promise<Row[]> {
  const rows: Row[] = [];
  await withPlace(async (context, folder) => {
    rows.push(...await pulls(context, folder));
    rows.push(...await catalogLookup());
    rows.push(...await lists(context, folder));
  });
  return rows;
}

async function pulls(context: Context, folder: string): Promise<Row[]> {
  const disk = await writeDisk(folder);
  const digest = await digestOfFile(context, disk);
  const sizeMib = (await Deno.stat(disk)).size / MIB;
  await using server = await serve(disk);
  const floors: number[] = [];
  const times: number[] = [];
  const peaks: number[] = [];
  const { url } = server;
  for (let pull = 0; pull < PULLS; pull++) {
    floors.push(await msOf(() => run("sh", ["-c", `curl -s ${url} | sha256sum`])));
    times.push(
      await msOf(async () => {
        peaks.push(await peakMib(context, "image", "pull", `${url}@${digest}`, "--name", "pulled"));
      }),
    );
    await nido(context, "image", "remove", "pulled");
  }
  await Deno.remove(disk);
  const rate = (times: number[]) => round(sizeMib / median(times) * 1000);
  const size = `${round(sizeMib / 1024)} GiB`;
  return [
    {
      what: `curl | sha256sum of ${size} from this host (floor)`,
      value: rate(floors),
      unit: "MiB/s",
      runs: PULLS,
    },
    {
      what: `nido image pull: download, verify, store ${size}`,
      value: rate(times),
      unit: "MiB/s",
      runs: PULLS,
      ratio: round(median(floors) / median(times), 2),
      aim: "aim: at least 0.8 x",
    },
    {
      what: "  peak memory of the command",
      value: round(Math.max(...peaks)),
      unit: "MiB",
      runs: PULLS,
      aim: "aim: under 150 MiB, the most of all runs",
    },
  ];
}

/** A plain qcow2 full of data that does not compress. */
async function writeDisk(folder: string): Promise<string> {
  const [raw, disk] = [join(folder, "disk.raw"), join(folder, "disk.qcow2")];
  const piece = bootableBytes(64 * MIB);
  {
    using file = await Deno.open(raw, { write: true, createNew: true });
    for (let mib = 0; mib < SIZE_MIB; mib += 64) {
      for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
    }
  }
  await run("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, disk]);
  await Deno.remove(raw);
  return disk;
}

async function serve(path: string): Promise<AsyncDisposable & { url: string }> {
  const script = new URL("./serve_file.ts", import.meta.url).pathname;
  const args = ["run", "-A", script, path];
  const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
  const { value } = await child.stdout.pipeThrough(new TextDecoderStream()).getReader().read();
  return {
    url: value!.trim(),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

/** Runs `nido` and gives the most memory that its own process ever had. */
async function peakMib(context: Context, ...args: string[]): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, ...args],
    env: { NIDO_HOME: context.home },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let [peakKib, isOver] = [0, false];
  const watching = (async () => {
    while (!isOver) {
      const status = await Deno.readTextFile(`/proc/${child.pid}/status`).catch(() => ""); // it ended
      peakKib = Math.max(peakKib, Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0));
      await new Promise((done) => setTimeout(done, 10));
    }
  })();
  const { code, stderr } = await child.output();
  isOver = true;
  await watching;
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return peakKib / 1024;
}

async function catalogLookup(): Promise<Row[]> {
  const text = await Deno.readTextFile(new URL("../../registry/images.json", import.meta.url));
  const reference: NamedReference = { kind: "name", name: "debian", version: "12" };
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    times.push(
      await msOf(() => {
        if (findEntry(parseCatalog(text, "shipped"), reference)) return Promise.resolve();
        throw new Error("the catalog has no debian:12");
      }),
    );
  }
  return [
    msRow("the catalog parsed and debian:12 found in it", times, { aim: "aim: under 5 ms" }),
    msRow("  the first time in a process", times.slice(0, 1)),
  ];
}

async function lists(context: Context, folder: string): Promise<Row[]> {
  const file = join(folder, "tiny.raw");
  for (let image = 0; image < IMAGES; image++) {
    await importImage(context, { file, name: `tiny-${image}`, format: "raw", force: false });
  }
  const empty = join(folder, "empty.ts");
  await Deno.writeTextFile(empty, "");
  const args = ["run", "-A", empty];
  const floor = await medianMs(RUNS, () => new Deno.Command(Deno.execPath(), { args }).output());
  const listed = await medianMs(RUNS, () => nido(context, "image", "list"));
  return [
    { what: "an empty Deno program (floor)", value: round(floor), unit: "ms", runs: RUNS },
    {
      what: `nido image list, ${IMAGES} images`,
      value: round(listed),
      unit: "ms",
      runs: RUNS,
      ratio: round(listed / floor, 2),
      aim: "aim: at most 8 x",
    },
  ];
}
