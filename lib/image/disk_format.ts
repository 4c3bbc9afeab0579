import type { PublishedFormat } from "../catalog/catalog.ts";
import { looksLikeQcow2 } from "./qcow2.ts";

/** A disk format that Nido reads. */
export type DiskFormat = PublishedFormat;

/** What a file's first bytes say it is; decided here, because QEMU's own guess can be tricked. */
export type Recognised =
  | { kind: DiskFormat }
  | { kind: "foreign"; title: string; convertFrom?: string }
  | { kind: "unknown" };

interface Signature {
  title: string;
  at: number;
  bytes: string;
  /** The name by which qemu-img knows it, where it can convert it. */
  convertFrom?: string;
}

const READ: { format: DiskFormat; at: number; bytes: string }[] = [
  { format: "vmdk", at: 0, bytes: "KDMV" },
  { format: "vhdx", at: 0, bytes: "vhdxfile" },
  { format: "vdi", at: 64, bytes: "\x7f\x10\xda\xbe" },
];

const FOREIGN: Signature[] = [
  { title: "a VMDK disk of ESX", at: 0, bytes: "COWD", convertFrom: "vmdk" },
  { title: "a VHD disk", at: 0, bytes: "conectix", convertFrom: "vpc" },
  { title: "a QED disk", at: 0, bytes: "QED\0", convertFrom: "qed" },
  { title: "a LUKS container", at: 0, bytes: "LUKS\xba\xbe" },
  { title: "an ISO 9660 image (a CD or DVD)", at: 32769, bytes: "CD001" },
  { title: "a tar archive", at: 257, bytes: "ustar" },
  { title: "a zip archive", at: 0, bytes: "PK\x03\x04" },
  { title: "compressed twice", at: 0, bytes: "BZh" },
  { title: "compressed twice", at: 0, bytes: "\xfd7zXZ\0" },
  { title: "compressed twice", at: 0, bytes: "\x1f\x8b\x08" },
  { title: "compressed twice", at: 0, bytes: "\x28\xb5\x2f\xfd" },
];

/** Recognises a disk by its own marks: a raw one by a boot sector or a GPT. */
export function recogniseDisk(head: Uint8Array): Recognised {
  if (looksLikeQcow2(head)) return { kind: "qcow2" };
  const read = READ.find(({ at, bytes }) => holds(head, at, bytes));
  if (read) return { kind: read.format };
  const foreign = FOREIGN.find(({ at, bytes }) => holds(head, at, bytes));
  if (foreign) return { kind: "foreign", title: foreign.title, convertFrom: foreign.convertFrom };
  const bootable = holds(head, 510, "\x55\xaa") || holds(head, 512, "EFI PART") ||
    holds(head, 4096, "EFI PART");
  return { kind: bootable ? "raw" : "unknown" };
}

/** True for a disk that is only described here, and kept in other files. */
export function isDescriptor(head: Uint8Array): boolean {
  return holds(head, 0, "# Disk DescriptorFile");
}

/** True for a tar archive of any kind. */
export function isTar(head: Uint8Array): boolean {
  return holds(head, 257, "ustar");
}

/** True when the bytes at a position are these (one character, one byte). */
export function holds(head: Uint8Array, at: number, bytes: string): boolean {
  if (head.length < at + bytes.length) return false;
  return Array.from(bytes).every((char, index) => head[at + index] === char.charCodeAt(0));
}
