import type { DiskFormat } from "./disk_format.ts";
import type { Refuse } from "./refuse.ts";

/** Throws when a disk of another maker's format is not all in its one file. */
export async function acceptForeign(
  { path, format }: { path: string; format: DiskFormat },
  refuse: Refuse,
): Promise<void> {
  if (format === "vmdk") await acceptVmdk(path, refuse);
  if (format === "vhdx") await acceptVhdx(path, refuse);
  if (format === "vdi") await acceptVdi(path, refuse);
}

/** Reads a part of a file; shorter where the file ends. */
async function readAt(path: string, at: number, length: number): Promise<DataView> {
  using file = await Deno.open(path);
  await file.seek(at, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return new DataView(bytes.buffer, 0, filled);
}

const SECTOR_BYTES = 512;
/** What QEMU reads of a descriptor, from wherever it is (block/vmdk.c of 7.2). */
const DESCRIPTOR_BYTES = 20 * SECTOR_BYTES;

/**
 * Throws unless a VMDK file is one disk in itself. QEMU follows what the text inside names: a parent,
 * and other files where the header tells of no disk. Layout: VMware's "Virtual Disk Format 5.0".
 */
async function acceptVmdk(path: string, refuse: Refuse): Promise<void> {
  const header = await readAt(path, 0, SECTOR_BYTES);
  if (header.byteLength < SECTOR_BYTES) throw refuse("integrity", "it is cut short");
  const sectors = (at: number) => Number(header.getBigUint64(at, true)) * SECTOR_BYTES;
  const [capacity, descriptorAt, descriptorBytes] = [sectors(12), sectors(28), sectors(36)];
  if (capacity === 0 || descriptorAt === 0) {
    throw refuse("denied", "its descriptor names extents in other files");
  }
  if (descriptorBytes > DESCRIPTOR_BYTES || descriptorAt > 64 * 1024 * 1024) {
    throw refuse("invalid_input", "its descriptor is not where VMDK disks have it");
  }
  for (const at of new Set([SECTOR_BYTES, descriptorAt])) {
    const text = new TextDecoder("latin1").decode(await readAt(path, at, DESCRIPTOR_BYTES));
    acceptNothingOutside(text, refuse);
    if (at === descriptorAt) acceptDescriptor(text.replace(/\0.*$/s, ""), refuse);
  }
}

function acceptNothingOutside(text: string, refuse: Refuse): void {
  const parent = /parentFileNameHint[^\n\0]*/.exec(text)?.[0];
  const identity = /parentCID\s*=\s*(\w+)/i.exec(text)?.[1] ?? "ffffffff";
  if (parent === undefined && /^f{8}$/i.test(identity)) return;
  throw refuse("denied", "it stands on a parent disk, which could leak files of this host", {
    details: { parent },
  });
}

function acceptDescriptor(text: string, refuse: Refuse): void {
  const type = /^createType\s*=\s*"([^"]*)"/m.exec(text)?.[1];
  const extents = [...text.matchAll(/^(?:RW|RDONLY|NOACCESS)\s+\d+\s+(\S+)\s*(?:"([^"]*)")?/gm)];
  const [, kind, name] = extents[0] ?? [];
  const isOne = extents.length === 1 && kind === "SPARSE" && !/[/\\]/.test(name ?? "");
  if (isOne && (type === "monolithicSparse" || type === "streamOptimized")) return;
  throw refuse("denied", "its descriptor names extents in other files", {
    details: { createType: type, extents: extents.slice(0, 8).map(([line]) => line) },
  });
}

const REGION_TABLE_AT = 192 * 1024;
const METADATA_REGION = "06a27c8b90479a4bb8fe575f050f886e";
const FILE_PARAMETERS = "3767a1ca36fa434db3b633f0aa44e76b";
const HAS_PARENT = 2;

/** Throws unless a VHDX file stands on no parent. Layout: Microsoft's [MS-VHDX]. */
async function acceptVhdx(path: string, refuse: Refuse): Promise<void> {
  const regions = entries(await readAt(path, REGION_TABLE_AT, 64 * 1024), 8, 16);
  const region = regions.find(({ id }) => id === METADATA_REGION);
  const regionAt = Number(region?.view.getBigUint64(16, true) ?? NaN);
  if (!Number.isSafeInteger(regionAt)) throw notWhole(refuse);
  const items = entries(await readAt(path, regionAt, 64 * 1024), 10, 32);
  const item = items.find(({ id }) => id === FILE_PARAMETERS);
  if (!item) throw notWhole(refuse);
  const parameters = await readAt(path, regionAt + item.view.getUint32(16, true), 8);
  if (parameters.byteLength < 8) throw notWhole(refuse);
  if (parameters.getUint32(4, true) & HAS_PARENT) {
    throw refuse("denied", "it stands on a parent disk, which could leak files of this host");
  }
}

/** The 32-byte entries of a VHDX table, with the identifiers they begin with. */
function entries(table: DataView, countAt: number, firstAt: number) {
  if (table.byteLength < firstAt + 32) return [];
  const most = Math.floor((table.byteLength - firstAt) / 32);
  const count = Math.min(table.getUint16(countAt, true), most);
  return Array.from({ length: count }, (_, index) => {
    const view = new DataView(table.buffer, table.byteOffset + firstAt + index * 32, 32);
    return { id: new Uint8Array(view.buffer, view.byteOffset, 16).toHex(), view };
  });
}

/** Throws unless a VDI file is a whole disk. Layout: QEMU's block/vdi.c (7.2). */
async function acceptVdi(path: string, refuse: Refuse): Promise<void> {
  const header = await readAt(path, 0, SECTOR_BYTES);
  if (header.byteLength < SECTOR_BYTES) throw notWhole(refuse);
  const [type, dynamic, fixed] = [header.getUint32(0x4c, true), 1, 2];
  const links = new Uint8Array(header.buffer, 0x1a8, 32); // of the linked and the parent disk
  if ((type !== dynamic && type !== fixed) || links.some((byte) => byte !== 0)) {
    throw refuse("denied", "it stands on a parent disk, which could leak files of this host");
  }
  const [dataAt, blockBytes, blocks] = [0x158, 0x178, 0x184].map((at) =>
    header.getUint32(at, true)
  );
  const end = dataAt! + blocks! * blockBytes!;
  const { size } = await Deno.stat(path);
  if (size >= end) return; // QEMU takes what is missing for zeros
  throw refuse(
    "integrity",
    `it is cut short (its blocks end at byte ${end}, the file at byte ${size})`,
  );
}

function notWhole(refuse: Refuse) {
  return refuse("integrity", "its tables are not where they must be");
}
