import { basename } from "node:path";
import { NidoError } from "../errors.ts";
import type { Qmp } from "./qmp.ts";

/** The layer that a live machine writes its disk to. */
export interface ActiveLayer {
  node: string;
  /** As QEMU tells it. */
  file: string;
  virtualSizeBytes: number;
}

interface BlockInfo {
  qdev?: string;
  inserted?: { "node-name": string; file: string; image: { "virtual-size": number } };
}

/** Asks a live machine which layer it writes to. */
export async function activeLayer(qmp: Qmp): Promise<ActiveLayer> {
  const devices = await qmp.execute<BlockInfo[]>("query-block");
  const disk = devices.find(({ qdev }) => qdev?.split("/").includes("disk0"))?.inserted;
  if (!disk) throw new NidoError("tool_failed", "QEMU does not list the machine's disk");
  return {
    node: disk["node-name"],
    file: disk.file,
    virtualSizeBytes: disk.image["virtual-size"],
  };
}

/** Whether this is the layer of a VM at a path; its name is enough, as a home has several paths. */
export function isAt({ node, file }: ActiveLayer, path: string): boolean {
  // QEMU (7.2) tells a layer that stands on another file than its header names as `json:{...}`, cut
  // after 4095 bytes; only layers that were switched to are told so.
  return basename(file) === basename(path) || node === nodeOf(path);
}

/**
 * Makes a live machine write to a new layer from now on, one that it may know already from a switch
 * that was killed; the old one is only read any more.
 */
export async function switchLayer(qmp: Qmp, from: ActiveLayer, path: string): Promise<void> {
  const node = nodeOf(path);
  if (!await knows(qmp, node)) {
    await qmp.execute("blockdev-add", {
      driver: "qcow2",
      "node-name": node,
      discard: "unmap",
      backing: null,
      file: { driver: "file", filename: path, discard: "unmap" },
    });
  }
  await qmp.execute("blockdev-snapshot", { node: from.node, overlay: node });
}

async function knows(qmp: Qmp, node: string): Promise<boolean> {
  const nodes = await qmp.execute<{ "node-name": string }[]>("query-named-block-nodes", {
    flat: true,
  });
  return nodes.some((known) => known["node-name"] === node);
}

function nodeOf(path: string): string {
  return basename(path, ".qcow2");
}

/** Grows the disk of a live machine. */
export async function growLiveDisk(qmp: Qmp, sizeBytes: number): Promise<void> {
  const { node } = await activeLayer(qmp);
  await qmp.execute("block_resize", { "node-name": node, size: sizeBytes });
}
