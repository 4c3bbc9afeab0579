import { join } from "node:path";
import { run } from "../../lib/host/process.ts";
import { eventually, type Nest } from "./nest.ts";

/** What the guest of `COUNT` has written to its disk. */
export interface Counted {
  count: number;
  boots: number;
}

/** Reads what a disk says, through all of its layers; a machine may have it open. */
export async function countOn(disk: string): Promise<Counted> {
  const raw = await Deno.makeTempFile({ prefix: "nido-count-" });
  try {
    await run("qemu-img", ["convert", "-U", "-f", "qcow2", "-O", "raw", disk, raw]);
    const view = new DataView((await Deno.readFile(raw)).buffer, 512);
    return { count: view.getUint32(0, true), boots: view.getUint32(4, true) };
  } finally {
    await Deno.remove(raw);
  }
}

/** The disk that a VM's record names. */
export async function diskOf(home: Nest, name: string): Promise<string> {
  const record = home.at(name, "record");
  return join(record, "..", JSON.parse(await Deno.readTextFile(record)).disk);
}

/** What a VM that stands still, or is stopped, has on its disk. */
export async function countOf(home: Nest, name: string): Promise<Counted> {
  return await countOn(await diskOf(home, name));
}

/**
 * Lets a running VM count past a number, in this boot of its disk or a later one; it is paused
 * afterwards, and what it wrote is told.
 */
export async function countPast(
  home: Nest,
  name: string,
  least: number,
  boot = 1,
): Promise<Counted> {
  let counted: Counted = { count: 0, boots: 0 };
  await eventually(`"${name}" has counted past ${least}`, async () => {
    await home.call("vm.pause", { name }); // and so all of it is on its disk
    counted = await countOf(home, name);
    if (counted.count > least && counted.boots >= boot) return true;
    await home.call("vm.resume", { name });
    await new Promise((resolve) => setTimeout(resolve, 200));
    return false;
  });
  return counted;
}
