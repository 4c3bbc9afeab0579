/** A GUID partition table, written without a partitioning program. */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

/** Bytes in a sector, as every BIOS-booted virtual disk has them. */
export const sectorBytes = 512;

/** Partition types, by what this image uses them for. */
export const partitionType = {
  biosBoot: "21686148-6449-6e6f-744e-656564454649",
  linuxFileSystem: "0fc63daf-8483-4772-8e79-3d69d8477de4",
} as const;

/** One partition; sectors are counted from the disk's start. */
export interface Partition {
  type: string;
  name: string;
  firstSector: number;
  sectors: number;
}

const entryBytes = 128;
const entryCount = 128;
const tableSectors = entryBytes * entryCount / sectorBytes;

/** The first sector that the table leaves free at the end of a disk. */
export function endOfUsableSectors(diskSectors: number): number {
  return diskSectors - tableSectors - 1;
}

/** Writes the protective MBR, the table and its copy at the disk's end. */
export async function writePartitionTable(disk: Deno.FsFile, partitions: Partition[]) {
  const diskSectors = (await disk.stat()).size / sectorBytes;
  const entries = partitionEntries(partitions);
  const diskId = crypto.randomUUID();
  const backupTable = endOfUsableSectors(diskSectors);
  const last = diskSectors - 1;
  const header = (own: number, other: number, table: number) =>
    tableHeader({ own, other, table, diskSectors, diskId, entries });
  await writeAt(disk, 0, protectiveMbr(diskSectors));
  await writeAt(disk, 1, header(1, last, 2));
  await writeAt(disk, 2, entries);
  await writeAt(disk, backupTable, entries);
  await writeAt(disk, last, header(last, 1, backupTable));
}

/** Writes `bytes` at the start of a sector. */
export async function writeAt(disk: Deno.FsFile, sector: number, bytes: Uint8Array) {
  await disk.seek(sector * sectorBytes, Deno.SeekMode.Start);
  for (let written = 0; written < bytes.length;) {
    written += await disk.write(bytes.subarray(written));
  }
}

/** Table layout: UEFI specification 2.10, chapter 5. */
function tableHeader(
  { own, other, table, diskSectors, diskId, entries }: {
    own: number;
    other: number;
    table: number;
    diskSectors: number;
    diskId: string;
    entries: Uint8Array;
  },
): Uint8Array {
  const header = Buffer.alloc(sectorBytes);
  header.write("EFI PART", 0, "latin1");
  header.writeUInt32LE(0x0001_0000, 8);
  header.writeUInt32LE(92, 12);
  header.writeBigUInt64LE(BigInt(own), 24);
  header.writeBigUInt64LE(BigInt(other), 32);
  header.writeBigUInt64LE(BigInt(2 + tableSectors), 40);
  header.writeBigUInt64LE(BigInt(endOfUsableSectors(diskSectors) - 1), 48);
  header.set(guidBytes(diskId), 56);
  header.writeBigUInt64LE(BigInt(table), 72);
  header.writeUInt32LE(entryCount, 80);
  header.writeUInt32LE(entryBytes, 84);
  header.writeUInt32LE(crc32(entries), 88);
  header.writeUInt32LE(crc32(header.subarray(0, 92)), 16);
  return header;
}

function partitionEntries(partitions: Partition[]): Uint8Array {
  const entries = Buffer.alloc(entryBytes * entryCount);
  partitions.forEach(({ type, name, firstSector, sectors }, index) => {
    const entry = entries.subarray(index * entryBytes, (index + 1) * entryBytes);
    entry.set(guidBytes(type), 0);
    entry.set(guidBytes(crypto.randomUUID()), 16);
    entry.writeBigUInt64LE(BigInt(firstSector), 32);
    entry.writeBigUInt64LE(BigInt(firstSector + sectors - 1), 40);
    entry.write(name, 56, "utf16le");
  });
  return entries;
}

/** GUIDs are stored with their first three fields little-endian. */
function guidBytes(guid: string): Uint8Array {
  const bytes = Buffer.from(guid.replaceAll("-", ""), "hex");
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

function protectiveMbr(diskSectors: number): Uint8Array {
  const mbr = Buffer.alloc(sectorBytes);
  mbr.set([0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff], 446);
  mbr.writeUInt32LE(1, 454);
  mbr.writeUInt32LE(Math.min(diskSectors - 1, 0xffff_ffff), 458);
  mbr.writeUInt16LE(0xaa55, 510);
  return mbr;
}
