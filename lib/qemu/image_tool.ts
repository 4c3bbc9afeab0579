import type { Context } from "../context.ts";
import { run } from "../host/process.ts";
import { findQemuImg } from "./installation.ts";

/** Grows a qcow2 disk that nothing has open. */
export async function growDisk(context: Context, disk: string, sizeBytes: number): Promise<void> {
  const program = await findQemuImg(context);
  await run(program, ["resize", "-q", "-f", "qcow2", disk, String(sizeBytes)], {
    signal: context.signal,
  });
}
