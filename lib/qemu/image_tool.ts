import { basename } from "node:path";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { type Finished, run } from "../host/process.ts";
import { removeIfThere } from "../store/record.ts";
import { syncFile } from "../store/sealed_file.ts";
import { findQemuImg } from "./installation.ts";

/** Grows a qcow2 disk that nothing has open. */
export async function growDisk(context: Context, disk: string, sizeBytes: number): Promise<void> {
  const program = await findQemuImg(context);
  await run(program, ["resize", "-q", "-f", "qcow2", disk, String(sizeBytes)], {
    signal: context.signal,
  });
}

/** How a disk is flattened. */
export interface Flattening {
  /** With compressed clusters: zstd where this qemu-img has it, else zlib. */
  compress: boolean;
  /** What the source is; default qcow2. */
  format?: "qcow2" | "raw";
}

/**
 * Writes a disk and all layers below it into one qcow2 that stands alone. Synced when it returns; when
 * it throws, nothing is left.
 */
export async function flatten(
  context: Context,
  source: string,
  destination: string,
  { compress, format = "qcow2" }: Flattening,
): Promise<void> {
  const program = await findQemuImg(context);
  const tell = progress(context, compress ? "Compressing the disk" : "Writing the plain disk");
  const attempt = async (flags: string[]) => {
    const args = ["convert", "-p", ...flags, "-f", format, "-O", "qcow2", source, destination];
    await run(program, args, { signal: context.signal, hear: tell });
  };
  try {
    if (!compress) await attempt(["-o", "compat=1.1"]);
    else {
      await attempt(["-c", "-o", "compat=1.1,compression_type=zstd"]).catch(async (error) => {
        if (!/compression[-_]type/.test(toldBy(error))) throw error; // zstd is a build option of QEMU
        await attempt(["-c", "-o", "compat=1.1"]);
      });
    }
    await syncFile(destination);
  } catch (error) {
    await removeIfThere(destination);
    if (!/No space left on device|quota exceeded/i.test(toldBy(error))) throw error;
    throw new NidoError("exhausted", `Cannot flatten ${source}: the disk filled up`, {
      hint: "nido doctor",
      cause: error,
    });
  }
}

/** Checks a qcow2 file's own tables; `integrity` names the file and the first complaint. */
export async function checkDisk(context: Context, path: string): Promise<void> {
  const program = await findQemuImg(context);
  // 3: clusters that nothing uses, which harms no data.
  const { code, stderr, ...rest } = await run(program, ["check", "-f", "qcow2", path], {
    signal: context.signal,
    accept: [0, 1, 2, 3],
  });
  if (code === 0 || code === 3) return;
  const lines = linesOf({ code, stderr, ...rest });
  const worst = lines.find((line) => line.startsWith("ERROR")) ?? lines[0];
  throw damaged(path, `qemu-img check says ${JSON.stringify(worst)}`, lines);
}

/** Compares what guests would read from two qcow2 disks; `integrity` names the second one. */
export async function compareDisks(context: Context, sound: string, other: string): Promise<void> {
  const program = await findQemuImg(context);
  const args = ["compare", "-f", "qcow2", "-F", "qcow2", sound, other];
  const finished = await run(program, args, { signal: context.signal, accept: [0, 1, 2, 3] });
  if (finished.code === 0) return;
  const lines = linesOf(finished);
  const says = `qemu-img compare with ${basename(sound)} says ${JSON.stringify(lines[0])}`;
  throw damaged(other, says, lines);
}

function damaged(path: string, fact: string, lines: string[]): NidoError {
  return new NidoError("integrity", `Cannot use ${path}: ${fact}`, {
    details: { path, told: lines.slice(0, 8) },
  });
}

function linesOf({ stdout, stderr }: Finished): string[] {
  const text = `${stderr}\n${new TextDecoder().decode(stdout)}`;
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

function toldBy(error: unknown): string {
  if (!(error instanceof NidoError)) return "";
  return [error.message, error.details?.stderr].flat().join("\n");
}

/** Reads `    (12.50/100%)` as qemu-img writes it with -p. */
function progress(context: Context, message: string): (stdout: Uint8Array) => void {
  return (stdout) => {
    const percents = new TextDecoder().decode(stdout).matchAll(/\(([\d.]+)\/100%\)/g);
    const last = [...percents].at(-1)?.[1];
    if (last === undefined) return;
    context.report({ stage: "flatten", message, done: Number(last), total: 100 });
  };
}
