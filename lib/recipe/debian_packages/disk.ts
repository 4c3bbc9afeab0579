import { Buffer } from "node:buffer";
import { join } from "node:path";
import { NidoError } from "../../errors.ts";
import {
  endOfUsableSectors,
  type Partition,
  partitionType,
  sectorBytes,
  writeAt,
  writePartitionTable,
} from "./partition_table.ts";
import { asGuestRoot, runIn, type Workshop } from "./programs.ts";
import { bootLoaderFiles } from "./root_archive.ts";

const sectorsPerMib = 1024 * 1024 / sectorBytes;

/** What GRUB of Debian 12 reads, whatever the building system's mke2fs would choose. */
const fileSystemFeatures = [
  "none",
  "has_journal",
  "ext_attr",
  "resize_inode",
  "dir_index",
  "filetype",
  "extent",
  "64bit",
  "flex_bg",
  "sparse_super",
  "large_file",
  "huge_file",
  "dir_nlink",
  "extra_isize",
  "metadata_csum",
].join(",");

/**
 * Writes partitions, boot loader and the root file system of an archive to a raw disk in a folder,
 * without mounting anything; gives its path.
 */
export async function makeDisk(
  workshop: Workshop,
  archive: string,
  diskGib: number,
  folder: string,
): Promise<string> {
  const raw = join(folder, "disk.raw");
  const diskMib = diskGib * 1024;
  const { biosBoot, rootPartition } = partitions(diskMib);
  using disk = await Deno.open(raw, { createNew: true, read: true, write: true });
  await disk.truncate(diskMib * 1024 * 1024);
  await writePartitionTable(disk, [biosBoot, rootPartition]);
  workshop.context.report({ stage: "build", message: "writing the root file system" });
  await makeFileSystem(workshop, archive, raw, rootPartition, folder);
  await writeBootLoader(disk, folder, biosBoot);
  return raw;
}

function partitions(diskMib: number): { biosBoot: Partition; rootPartition: Partition } {
  const biosBoot = {
    type: partitionType.biosBoot,
    name: "bios",
    firstSector: sectorsPerMib,
    sectors: sectorsPerMib,
  };
  const firstSector = 2 * sectorsPerMib;
  const lastMib = Math.floor(endOfUsableSectors(diskMib * sectorsPerMib) / sectorsPerMib);
  const rootPartition = {
    type: partitionType.linuxFileSystem,
    name: "root",
    firstSector,
    sectors: lastMib * sectorsPerMib - firstSector,
  };
  return { biosBoot, rootPartition };
}

// The files of another user's namespace can be removed in it only: what unpacks them does that too,
// however it ends. They lie outside the home but as root's, so that nothing there could not be swept.
const UNPACK = `set -eu
archive=$1 folder=$2
shift 2
root=$(mktemp -d "\${TMPDIR:-/tmp}/nido-root.XXXXXX")
trap 'rm -rf "$root"' EXIT
trap 'exit 143' TERM
chmod 755 "$root"
tar --extract --numeric-owner -C "$root" -f "$archive"
rm -f "$archive"
mkdir -p "$root/dev"
cp "$root/${bootLoaderFiles.boot}" "$root/${bootLoaderFiles.core}" "$folder"
mke2fs -d "$root" "$@"`;

/** Inode tables are zeroed here rather than by the guest, whose overlay would grow with them. */
async function makeFileSystem(
  workshop: Workshop,
  archive: string,
  raw: string,
  partition: Partition,
  folder: string,
): Promise<void> {
  const offset = partition.firstSector * sectorBytes;
  const words = [
    ...["sh", "-c", UNPACK, "sh", archive, folder],
    ...["-q", "-F", "-t", "ext4", "-L", "root", "-m", "1", "-b", "4096"],
    ...["-O", fileSystemFeatures, "-E", `offset=${offset},lazy_itable_init=0`],
    ...[raw, `${partition.sectors / 2}k`],
  ];
  const env = workshop.isRoot ? { TMPDIR: folder } : undefined;
  await runIn(workshop, asGuestRoot(workshop, words), { env });
}

/**
 * Does what grub-bios-setup does (GRUB 2.06, `util/setup.c`): boot.img's code in the MBR points to
 * core.img, whose first sector ends with the list of the sectors that follow it.
 */
async function writeBootLoader(disk: Deno.FsFile, folder: string, biosBoot: Partition) {
  const bootFile = Buffer.from(await Deno.readFile(join(folder, "boot.img")));
  const core = Buffer.from(await Deno.readFile(join(folder, "core.img")));
  const coreSectors = Math.ceil(core.length / sectorBytes);
  if (coreSectors > biosBoot.sectors) {
    throw new NidoError("tool_failed", "Cannot write the boot loader: GRUB does not fit its place");
  }
  bootFile.writeBigUInt64LE(BigInt(biosBoot.firstSector), 0x5c);
  core.writeBigUInt64LE(BigInt(biosBoot.firstSector + 1), sectorBytes - 12);
  core.writeUInt16LE(coreSectors - 1, sectorBytes - 4);
  core.writeUInt16LE(0x820, sectorBytes - 2);
  await writeAt(disk, 0, bootFile.subarray(0, 440));
  await writeAt(disk, biosBoot.firstSector, core);
}
