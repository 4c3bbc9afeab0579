import { join } from "node:path";
import type { Context } from "../context.ts";
import { connectAgain } from "../guest/connect_again.ts";
import { installReader, ReaderLink } from "../guest/reader.ts";
import type { MemoryFile } from "../qemu/command_line.ts";
import { files, momentFiles } from "../store/files.ts";
import { namesIn, removeIfThere, syncFolder } from "../store/record.ts";
import { syncFile } from "../store/sealed_file.ts";
import { fillFolder } from "../vm/folder.ts";
import { launch } from "../vm/launch.ts";
import { withSshPort } from "../vm/port.ts";
import { sshTarget } from "../vm/reach.ts";
import { waitForReady } from "../vm/ready.ts";
import { newVm, socketPath, type SoundVm, type VmRecord } from "../vm/vm.ts";
import type { Base } from "./base.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { freezeForGood } from "./freeze.ts";
import { type Incubator, withIncubator } from "./incubator.ts";
import { type Moment, type MomentRecord, writeMoment } from "./moment.ts";
import { sha256 } from "../sha256.ts";

const CONNECT_MS = 60_000;
const PREPARE_MS = 120_000;

/** What is to be made warm. */
export interface Incubation {
  base: Base;
  /** A VM that the moment is to fit; nothing but its shape and its user is taken from it. */
  like: VmRecord;
  fingerprint: Fingerprint;
  timeoutSeconds: number;
}

/** Waits until the guest of an incubator may be frozen. */
export type Settle = (context: Context, vm: SoundVm, incubation: Incubation) => Promise<void>;

/**
 * Boots a base until its guest is ready and quiet, and freezes it as a moment. What its memory holds
 * comes from the base and this home's key alone; it reaches what the VM reaches that it is made for,
 * because a guest learns from its lease whether there is a way out.
 */
export async function incubate(
  context: Context,
  incubation: Incubation,
  settle: Settle = readyAndQuiet,
): Promise<Moment> {
  return await withIncubator(context, async (incubator) => {
    const vm = await layEgg(context, incubator, incubation);
    const ram: MemoryFile | undefined = incubation.fingerprint.memory === "shared"
      ? { path: join(vm.folder, momentFiles.ram), mode: "write" }
      : undefined;
    await launch(context, vm, { ram });
    await settle(context, vm, incubation);
    await freezeForGood(context, vm, ram !== undefined);
    return await place(context, vm, incubator.id, incubation);
  });
}

async function layEgg(
  context: Context,
  { name, folder }: Incubator,
  { base, like }: Incubation,
): Promise<SoundVm> {
  const record: VmRecord = {
    ...like,
    id: crypto.randomUUID(),
    createdAt: context.now().toISOString(),
    ports: withSshPort([]),
    labels: {},
    wake: undefined,
  };
  using _base = await base.hold(context, `warm ${base.kind} "${base.name}"`);
  await fillFolder(context, folder, {
    hostname: "incubator",
    record,
    below: base.diskPath,
    diskBytes: base.virtualSizeBytes,
    callersKeys: [],
  });
  return newVm(name, folder, record);
}

async function readyAndQuiet(
  context: Context,
  vm: SoundVm,
  { base, timeoutSeconds }: Incubation,
): Promise<void> {
  await waitForReady(context, vm, timeoutSeconds, `${base.kind} "${base.name}"`);
  context.report({ stage: "freeze", message: "the incubator comes to rest" });
  const target = await sshTarget(context, vm);
  await using session = await connectAgain(context, target, { timeoutMs: CONNECT_MS });
  await installReader(session);
  await session.close();
  // The reader stays in the middle of a read, so that a clone's wakes with the first byte.
  using link = await ReaderLink.open(await socketPath(context, vm, "hatch"));
  await link.send({ prepare: true });
  await link.answered(PREPARE_MS);
}

async function place(
  context: Context,
  { folder, record }: SoundVm,
  id: string,
  { base, fingerprint }: Incubation,
): Promise<Moment> {
  const kept: string[] = Object.values(momentFiles);
  for (const file of await namesIn(folder)) {
    if (!kept.includes(file)) await removeIfThere(join(folder, file));
    else await syncFile(join(folder, file));
  }
  const moment: MomentRecord = {
    schemaVersion: 1,
    kind: "warm",
    createdAt: context.now().toISOString(),
    base: { kind: base.kind, name: base.name },
    fingerprint,
    hostKey: record.hostKey,
    virtualSizeBytes: base.virtualSizeBytes,
    stateDigest: await sha256(await Deno.readFile(join(folder, momentFiles.state))),
    ram: await sizeOf(join(folder, momentFiles.ram)),
  };
  await writeMoment(folder, moment);
  await Deno.rename(folder, files.moment(context.home, id));
  await syncFolder(files.moments(context.home));
  return { id, folder: files.moment(context.home, id), record: moment };
}

async function sizeOf(ram: string): Promise<MomentRecord["ram"]> {
  const info = await Deno.stat(ram).catch(() => undefined);
  return info && { sizeBytes: info.size, modifiedAt: (info.mtime ?? new Date(0)).toISOString() };
}
