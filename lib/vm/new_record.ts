import { readConfig } from "../config/config.ts";
import type { Context } from "../context.ts";
import type { Base } from "../moment/base.ts";
import { findQemu } from "../qemu/installation.ts";
import { vmFiles } from "../store/files.ts";
import { parsePorts, withSshPort } from "./port.ts";
import { checkMemory } from "./shape.ts";
import type { VmRecord } from "./vm.ts";

/** What a caller wants a new VM to be; what is left out comes from its base, then the settings. */
export interface Wish {
  cpus?: number;
  memoryMib?: number;
  user?: string;
  network?: VmRecord["network"];
  ports?: string[];
  labels?: VmRecord["labels"];
  accel?: VmRecord["accelerator"];
}

/** The record of a new VM on a base; `doing` begins the message about too much memory. */
export async function newRecord(
  context: Context,
  base: Base,
  wish: Wish,
  doing: string,
): Promise<VmRecord> {
  const config = await readConfig(context);
  const { kind, name, digest, defaults } = base;
  const memoryMib = wish.memoryMib ?? defaults?.memoryMib ?? config.memoryMib ?? 1024;
  checkMemory(memoryMib, doing);
  const qemu = await findQemu(context, base.architecture);
  const board = base.architecture === "x86_64" ? "pc-q35" : "virt";
  return {
    schemaVersion: 1,
    id: crypto.randomUUID(),
    createdAt: context.now().toISOString(),
    image: base.image,
    template: kind === "template" ? { name, digest } : undefined,
    disk: vmFiles.disk,
    architecture: base.architecture,
    firmware: base.firmware,
    machineType: base.machineType ?? `${board}-${qemu.major}.${qemu.minor}`,
    accelerator: wish.accel ?? config.accelerator,
    cpus: wish.cpus ?? defaults?.cpus ?? config.cpus ?? 2,
    memoryMib,
    user: wish.user ?? defaults?.user ?? config.user ?? base.user,
    network: wish.network ?? defaults?.network ?? config.network ?? "full",
    ports: withSshPort(parsePorts(wish.ports ?? defaults?.ports ?? [])),
    labels: wish.labels ?? {},
    hostKey: "",
  };
}
