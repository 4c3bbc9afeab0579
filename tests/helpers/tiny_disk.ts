/** A disk whose boot sector only halts: a machine for it starts in no time and idles. */
export function tinyDisk(): Uint8Array {
  const disk = new Uint8Array(1 << 20);
  disk.set([0xfa, 0xf4, 0xeb, 0xfd]); // cli; again: hlt; jmp again
  disk.set([0x55, 0xaa], 510);
  return disk;
}
