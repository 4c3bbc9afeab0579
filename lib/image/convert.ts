import { join } from "node:path";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { run } from "../host/process.ts";
import type { Qcow2Header } from "./qcow2.ts";
import type { Refuse } from "./refuse.ts";
import type { Staged } from "./stage_source.ts";

/** Throws when qemu-img finds a qcow2 file damaged; true when it is clean, false for mere leaks. */
export async function checkQcow2(
  context: Context,
  path: string,
  refuse: Refuse,
): Promise<boolean> {
  const args = ["check", "-f", "qcow2", "--output=json", path];
  const { code, stdout, stderr } = await run("qemu-img", args, {
    signal: context.signal,
    accept: [0, 1, 2, 3],
  });
  if (code === 0 || code === 3) return code === 0;
  const found = code === 2 ? JSON.parse(new TextDecoder().decode(stdout)) : {};
  const fact = found.corruptions
    ? `qemu-img check found ${found.corruptions} corruptions in it`
    : "qemu-img could not check it";
  throw refuse("integrity", fact, {
    details: { exitCode: code, stderr: stderr.trim().split("\n").slice(-8) },
  });
}

/** Throws unless QEMU reads the same disk from a file as the header parser did. */
export async function confirmQcow2(
  context: Context,
  path: string,
  header: Qcow2Header,
  refuse: Refuse,
): Promise<void> {
  const args = ["info", "-f", "qcow2", "--output=json", path];
  const { stdout } = await run("qemu-img", args, { signal: context.signal });
  const info = JSON.parse(new TextDecoder().decode(stdout));
  const alone = info["backing-filename"] === undefined && !info.encrypted &&
    info["format-specific"]?.data?.["data-file"] === undefined;
  if (!alone || info["virtual-size"] !== header.virtualSizeBytes) {
    throw refuse("integrity", "QEMU reads another disk from it than its header describes");
  }
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
