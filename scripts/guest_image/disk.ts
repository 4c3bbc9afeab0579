/** The disk: partitions, file system and boot loader, written without mounting anything. */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import {
  endOfUsableSectors,
  type Partition,
  partitionType,
  sectorBytes,
  writeAt,
  writePartitionTable,
} from "./partition_table.ts";
import { BuildError, run } from "./programs.ts";
import { diskMib } from "./recipe.ts";
import { asGuestRoot, bootLoaderFiles } from "./root_file_system.ts";

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

/** Makes the compressed qcow2 of the root file system in folder `root`, and returns its path. */
export async function buildDisk(
  { staging, root, report }: { staging: string; root: string; report: (line: string) => void },
): Promise<string> {
  const raw = join(staging, "disk.raw");
  const { biosBoot, rootPartition } = partitions();
  using disk = await Deno.open(raw, { createNew: true, read: true, write: true });
  await disk.truncate(diskMib * 1024 * 1024);
  await writePartitionTable(disk, [biosBoot, rootPartition]);
  await writeBootLoader(disk, root, biosBoot);
  report("writing the root file system");
  await makeFileSystem(raw, root, rootPartition);
  report("compressing the disk image");
  return await compress(raw, join(staging, "disk.qcow2"));
}

function partitions(): { biosBoot: Partition; rootPartition: Partition } {
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

/**
 * Does what grub-bios-setup does (GRUB 2.06, `util/setup.c`): boot.img's code in the MBR points to
 * core.img, whose first sector ends with the list of the sectors that follow it.
 */
async function writeBootLoader(disk: Deno.FsFile, root: string, biosBoot: Partition) {
  const bootFile = Buffer.from(await Deno.readFile(join(root, bootLoaderFiles.boot)));
  const core = Buffer.from(await Deno.readFile(join(root, bootLoaderFiles.core)));
  const coreSectors = Math.ceil(core.length / sectorBytes);
  if (coreSectors > biosBoot.sectors) throw new BuildError("GRUB does not fit its partition");
  bootFile.writeBigUInt64LE(BigInt(biosBoot.firstSector), 0x5c);
  core.writeBigUInt64LE(BigInt(biosBoot.firstSector + 1), sectorBytes - 12);
  core.writeUInt16LE(coreSectors - 1, sectorBytes - 4);
  core.writeUInt16LE(0x820, sectorBytes - 2);
  await writeAt(disk, 0, bootFile.subarray(0, 440));
  await writeAt(disk, biosBoot.firstSector, core);
}

/** Inode tables are zeroed here rather than by the guest, whose overlay would grow with them. */
async function makeFileSystem(raw: string, root: string, partition: Partition): Promise<void> {
  const offset = partition.firstSector * sectorBytes;
  await run(asGuestRoot([
    ...["mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-m", "1", "-b", "4096"],
    ...["-O", fileSystemFeatures, "-E", `offset=${offset},lazy_itable_init=0`],
    ...["-d", root, raw, `${partition.sectors / 2}k`],
  ]));
}

/** zstd makes clusters faster to read; a qemu-img built without it gets the older zlib. */
async function compress(raw: string, image: string): Promise<string> {
  const convert = (compression: string) =>
    run([
      ...["qemu-img", "convert", "-c", "-W", "-f", "raw", "-O", "qcow2"],
      ...["-o", `compat=1.1,compression_type=${compression}`, raw, image],
    ]);
  await convert("zstd").catch(() => convert("zlib"));
  await Deno.chmod(image, 0o444);
  return image;
}
