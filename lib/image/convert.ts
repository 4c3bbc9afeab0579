import { join } from "node:path";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { run } from "../host/process.ts";
import { acceptSize } from "./accept_qcow2.ts";
import type { Refuse } from "./refuse.ts";
import type { Staged } from "./stage_source.ts";

type Disk = Pick<Staged, "path" | "format" | "header">;

/** How qemu-img check ends for a format that it has no check for. */
const UNSUPPORTED = 63;

/** Throws when qemu-img finds a file's tables damaged; true when they are clean, false for mere leaks. */
export async function checkTables(
  context: Context,
  { path, format }: Disk,
  refuse: Refuse,
): Promise<boolean> {
  const args = ["check", "-f", format, "--output=json", path];
  const { code, stdout, stderr } = await run("qemu-img", args, {
    signal: context.signal,
    accept: [0, 1, 2, 3, UNSUPPORTED],
  });
  if (code === 0 || code === 3 || code === UNSUPPORTED) return code === 0;
  const found = code === 2 ? JSON.parse(new TextDecoder().decode(stdout)) : {};
  const fact = found.corruptions
    ? `qemu-img check found ${found.corruptions} corruptions in it`
    : "qemu-img could not check it";
  throw refuse("integrity", fact, {
    details: { exitCode: code, stderr: stderr.trim().split("\n").slice(-8) },
  });
}

/** Throws unless QEMU reads one disk from a file alone: the one that its header describes. */
export async function confirmAlone(
  context: Context,
  { path, format, header }: Disk,
  refuse: Refuse,
): Promise<void> {
  const args = ["info", "-f", format, "--output=json", path];
  const { stdout } = await run("qemu-img", args, { signal: context.signal });
  const info = JSON.parse(new TextDecoder().decode(stdout));
  const { extents, "data-file": dataFile } = info["format-specific"]?.data ?? {};
  const isAlone = info["backing-filename"] === undefined && !info.encrypted &&
    dataFile === undefined && !(extents?.length > 1);
  const size = info["virtual-size"];
  if (!isAlone || (header && size !== header.virtualSizeBytes)) {
    throw refuse("integrity", "QEMU reads another disk from it than its header describes");
  }
  acceptSize(size, refuse);
}

/** Converts a staged file into one plain qcow2 v3 with compressed clusters. */
export async function convertToPlain(
  context: Context,
  staged: Staged,
  destination: string,
  refuse: Refuse,
): Promise<void> {
  const compression = await clusterCompression(context, join(destination, "..", "probe.qcow2"));
  const options = `compat=1.1,compression_type=${compression}`;
  const args = ["convert", "-c", "-f", staged.format, "-O", "qcow2", "-o", options];
  context.report({ stage: "convert", message: `Converting to qcow2 (${compression})` });
  try {
    await run("qemu-img", [...args, staged.path, destination], { signal: context.signal });
  } catch (error) {
    if (error instanceof NidoError && /No space left on device|quota exceeded/i.test(told(error))) {
      throw refuse("exhausted", "the disk filled up while it was converted", {
        hint: "nido images",
        cause: error,
      });
    }
    throw error;
  }
}

/** The best cluster compression that this qemu-img has: zstd is a build option of QEMU. */
async function clusterCompression(context: Context, probe: string): Promise<"zstd" | "zlib"> {
  const args = ["create", "-q", "-f", "qcow2", "-o", "compression_type=zstd", probe, "64K"];
  const { code } = await run("qemu-img", args, { signal: context.signal, accept: [0, 1] });
  if (code === 0) await Deno.remove(probe);
  return code === 0 ? "zstd" : "zlib";
}

function told(error: NidoError): string {
  return [error.message, error.details?.stderr].join("\n");
}
