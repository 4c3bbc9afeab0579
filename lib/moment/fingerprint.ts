import { z } from "zod";
import type { Context } from "../context.ts";
import { homeKey } from "../guest/keys.ts";
import { readerName } from "../guest/reader_program.ts";
import { chooseAccelerator } from "../qemu/accelerator.ts";
import { cpuModel } from "../qemu/accelerator_name.ts";
import { commandLine } from "../qemu/command_line.ts";
import { requireFirmware } from "../qemu/firmware.ts";
import { findQemu } from "../qemu/installation.ts";
import type { VmRecord } from "../vm/vm.ts";
import { sha256 } from "../sha256.ts";

/** All that must be the same for memory that one machine left to fit into another. */
export const fingerprint = z.strictObject({
  base: z.string(),
  qemu: z.string(),
  machineType: z.string(),
  accelerator: z.string(),
  cpuModel: z.string(),
  cpus: z.int(),
  memoryMib: z.int(),
  devices: z.string(),
  firmware: z.string(),
  user: z.string(),
  key: z.string(),
  reader: z.string(),
  /** Memory is kept as a file that machines share, or inside the state. */
  memory: z.enum(["shared", "stream"]),
});

/** All that must be the same for memory that one machine left to fit into another. */
export type Fingerprint = z.output<typeof fingerprint>;

/** The fingerprint of the machine that a VM with this record would be. */
export async function fingerprintOf(
  context: Context,
  base: string,
  record: VmRecord,
  memory: Fingerprint["memory"],
): Promise<Fingerprint> {
  const { architecture, machineType, cpus, memoryMib, user } = record;
  const [qemu, accelerator, key, reader] = await Promise.all([
    findQemu(context, architecture),
    chooseAccelerator(context, architecture, record.accelerator),
    homeKey(context),
    readerName(),
  ]);
  const firmware = record.firmware === "uefi"
    ? await requireFirmware(context, architecture)
    : undefined;
  return {
    base,
    qemu: `${qemu.version} ${qemu.build}`,
    machineType,
    accelerator: accelerator.name,
    cpuModel: cpuModel(accelerator.name, architecture),
    cpus,
    memoryMib,
    devices: await shortHash(devices(record, accelerator.name).join("\n")),
    firmware: firmware ? await firmwareBuild(firmware.code) : "bios",
    user,
    key: await shortHash(key.public),
    reader,
    memory,
  };
}

/** The names of the parts in which two fingerprints differ. */
export function differences(one: Fingerprint, other: Fingerprint): (keyof Fingerprint)[] {
  return (Object.keys(one) as (keyof Fingerprint)[]).filter((part) => one[part] !== other[part]);
}

/** The guest's hardware, but for its sizes: the command line of a machine whose host side is empty. */
function devices(record: VmRecord, accelerator: Parameters<typeof cpuModel>[0]): string[] {
  const nowhere = { pid: "", work: "", query: "", agent: "", hatch: "", vnc: "", seed: "" };
  return commandLine({
    ...record,
    name: "",
    id: "",
    accelerator,
    cpus: 1,
    memoryMib: 1,
    network: "full",
    hostOs: Deno.build.os,
    wakes: false,
    paths: {
      ...nowhere,
      disk: [""],
      firmware: record.firmware === "uefi" ? { code: "", vars: "" } : undefined,
    },
  });
}

async function firmwareBuild(code: string): Promise<string> {
  const { size, mtime } = await Deno.stat(code);
  return `${code} ${size} ${mtime?.toISOString()}`;
}

async function shortHash(text: string): Promise<string> {
  return (await sha256(text)).slice(0, 16);
}
