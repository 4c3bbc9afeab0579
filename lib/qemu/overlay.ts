/** The cluster size of overlays, which is also qemu-img's default. */
const CLUSTER_BYTES = 65_536;
const BACKING_FORMAT = 0xe2792aca;

/**
 * The bytes of an empty qcow2 (version 3) layer over a qcow2 base: what `qemu-img create -b` would
 * write, without starting a program for it. Layout: header, refcount table, refcount block, L1 table.
 * Smaller clusters make it slower, and let smaller discards through. Source: docs/interop/qcow2.txt
 * of QEMU.
 */
export function emptyOverlay(
  basePath: string,
  virtualSizeBytes: number,
  clusterBytes: number = CLUSTER_BYTES,
): Uint8Array {
  const backing = new TextEncoder().encode(basePath);
  if (backing.length > 1023) throw new RangeError("a backing path holds at most 1023 bytes");
  const l1Entries = Math.ceil(virtualSizeBytes / (clusterBytes * (clusterBytes / 8)));
  const l1Clusters = Math.max(1, Math.ceil(l1Entries * 8 / clusterBytes));
  const perBlock = clusterBytes / 2; // refcounts of 16 bits
  const refcountBlocks = Math.ceil((2 + l1Clusters) / (perBlock - 1));
  const clusters = 2 + refcountBlocks + l1Clusters;

  const bytes = new Uint8Array(clusters * clusterBytes);
  const view = new DataView(bytes.buffer);
  const extensionsAt = 104;
  const backingAt = extensionsAt + 16 + 8;

  view.setUint32(0, 0x514649fb); // "QFI\xfb"
  view.setUint32(4, 3);
  view.setBigUint64(8, BigInt(backingAt));
  view.setUint32(16, backing.length);
  view.setUint32(20, Math.log2(clusterBytes));
  view.setBigUint64(24, BigInt(virtualSizeBytes));
  view.setUint32(36, l1Entries);
  view.setBigUint64(40, BigInt((2 + refcountBlocks) * clusterBytes)); // L1 table
  view.setBigUint64(48, BigInt(clusterBytes)); // refcount table
  view.setUint32(56, 1); // refcount table clusters
  view.setUint32(96, 4); // refcounts of 2^4 bits
  view.setUint32(100, 104); // header length
  view.setUint32(extensionsAt, BACKING_FORMAT);
  view.setUint32(extensionsAt + 4, 5);
  bytes.set(new TextEncoder().encode("qcow2"), extensionsAt + 8);
  bytes.set(backing, backingAt);

  for (let block = 0; block < refcountBlocks; block++) {
    view.setBigUint64(clusterBytes + 8 * block, BigInt((2 + block) * clusterBytes));
  }
  for (let cluster = 0; cluster < clusters; cluster++) {
    view.setUint16(2 * clusterBytes + 2 * cluster, 1);
  }
  return bytes;
}
