import { formatBytes } from "../units.ts";
import type { Qcow2Header } from "./qcow2.ts";
import type { Refuse } from "./refuse.ts";

/** The largest disk that an image may pretend to be. */
export const MAX_VIRTUAL_BYTES = 16 * 1024 ** 4;

/** Throws unless a qcow2 image stands alone, is whole and holds nothing this parser doesn't know. */
export function acceptQcow2(header: Qcow2Header, refuse: Refuse): void {
  if (header.backingFile !== undefined) {
    const named = JSON.stringify(header.backingFile);
    throw refuse(
      "denied",
      `it has a backing file (${named}), which could leak files of this host`,
    );
  }
  if (header.externalData) {
    const { file } = header.externalData;
    const named = file === undefined ? "" : ` (${JSON.stringify(file)})`;
    throw refuse(
      "denied",
      `it keeps its data in another file${named}, which could leak files of this host`,
    );
  }
  if (header.encryption) {
    throw refuse("invalid_input", `it is encrypted (${header.encryption})`);
  }
  if (header.unknownFeatures.length > 0) {
    const bits = header.unknownFeatures.join(", ");
    throw refuse("invalid_input", `it needs qcow2 features that Nido does not know (bits ${bits})`);
  }
  if (header.compression === "unknown") {
    throw refuse("invalid_input", "it is compressed in a way that Nido does not know");
  }
  if (header.corrupt) throw refuse("integrity", "it is marked as corrupt");
  if (header.dirty) throw refuse("integrity", "it was not closed properly (its dirty bit is set)");
  acceptSize(header.virtualSizeBytes, refuse);
}

/** Throws when a disk's size makes no sense. */
export function acceptSize(virtualSizeBytes: number, refuse: Refuse): void {
  if (virtualSizeBytes === 0) throw refuse("invalid_input", "its disk has no size");
  if (virtualSizeBytes > MAX_VIRTUAL_BYTES) {
    const size = formatBytes(virtualSizeBytes);
    throw refuse("invalid_input", `its disk would have ${size}, and the most is 16 TiB`);
  }
}

/** True when a disk can be stored as it is: qcow2 v3 with nothing beyond the plain format. */
export function isPlain(header: Qcow2Header): boolean {
  return header.version === 3 && !header.extendedL2 && !header.bitmaps && header.snapshots === 0;
}
