/** The cluster size of overlays, which is also qemu-img's default. */
const CLUSTER = 65_536;
const BACKING_FORMAT = 0xe2792aca;

/**
 * The bytes of an empty qcow2 (version 3) layer over a qcow2 base: what `qemu-img create -b` would
 * write, without starting a program for it. Layout: header, refcount table, refcount block, L1 table.
 * Source: docs/interop/qcow2.txt of QEMU.
 */
export function emptyOverlay(basePath: string, virtualSizeBytes: number): Uint8Array {
  const backing = new TextEncoder().encode(basePath);
  if (backing.length > 1023) throw new RangeError("a backing path holds at most 1023 bytes");
  const l1Entries = Math.ceil(virtualSizeBytes / (CLUSTER * (CLUSTER / 8)));
  const l1Clusters = Math.max(1, Math.ceil(l1Entries * 8 / CLUSTER));
  const clusters = 3 + l1Clusters;

  const bytes = new Uint8Array(clusters * CLUSTER);
  const view = new DataView(bytes.buffer);
  const extensionsAt = 104;
  const backingAt = extensionsAt + 16 + 8;

  view.setUint32(0, 0x514649fb); // "QFI\xfb"
  view.setUint32(4, 3);
  view.setBigUint64(8, BigInt(backingAt));
  view.setUint32(16, backing.length);
  view.setUint32(20, Math.log2(CLUSTER));
  view.setBigUint64(24, BigInt(virtualSizeBytes));
  view.setUint32(36, l1Entries);
  view.setBigUint64(40, BigInt(3 * CLUSTER)); // L1 table
  view.setBigUint64(48, BigInt(CLUSTER)); // refcount table
  view.setUint32(56, 1); // refcount table clusters
  view.setUint32(96, 4); // refcounts of 2^4 bits
  view.setUint32(100, 104); // header length
  view.setUint32(extensionsAt, BACKING_FORMAT);
  view.setUint32(extensionsAt + 4, 5);
  bytes.set(new TextEncoder().encode("qcow2"), extensionsAt + 8);
  bytes.set(backing, backingAt);

  view.setBigUint64(CLUSTER, BigInt(2 * CLUSTER)); // the one refcount block
  for (let cluster = 0; cluster < clusters; cluster++) {
    view.setUint16(2 * CLUSTER + 2 * cluster, 1);
  }
  return bytes;
}
