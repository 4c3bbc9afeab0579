import { join } from "node:path";
import type { Context } from "../../lib/context.ts";
import type { Base } from "../../lib/moment/base.ts";
import { type Fingerprint, fingerprintOf } from "../../lib/moment/fingerprint.ts";
import { type MomentRecord, writeMoment } from "../../lib/moment/moment.ts";
import { files, momentFiles, vmFiles } from "../../lib/store/files.ts";
import type { VmRecord } from "../../lib/vm/vm.ts";
import { sha256 } from "../../lib/sha256.ts";

/** A base that is an image in name only. */
export const base: Base = {
  kind: "image",
  name: "debian",
  digest: `sha256:${"ab".repeat(32)}`,
  diskPath: "/nowhere/disk.qcow2",
  virtualSizeBytes: 1 << 20,
  architecture: "x86_64",
  firmware: "bios",
  user: "nido",
  image: { name: "debian", digest: `sha256:${"ab".repeat(32)}` },
  hold: () => Promise.reject(new Error("nothing stands on this base")),
};

/** A VM of that base, as a spawn plans it. */
export const record: VmRecord = {
  schemaVersion: 1,
  id: "0b8e2f6c-6a4e-4d5c-9d0a-0d6a3c1d2e3f",
  createdAt: "2026-01-01T00:00:00.000Z",
  image: base.image,
  disk: vmFiles.disk,
  architecture: "x86_64",
  firmware: "bios",
  machineType: "pc-q35-7.2",
  accelerator: "tcg",
  cpus: 2,
  memoryMib: 512,
  user: "nido",
  network: "full",
  ports: [],
  labels: {},
  hostKey: "",
};

/** Puts a moment into a home, with small files for its memory; `differs` changes its fingerprint. */
export async function placeMoment(
  context: Context,
  id: string,
  differs: Partial<Fingerprint> = {},
  ramBytes = 8192,
): Promise<string> {
  const folder = files.moment(context.home, id);
  await Deno.mkdir(folder);
  const state = new TextEncoder().encode(`the state of ${id}`);
  const ram = join(folder, momentFiles.ram);
  await Deno.writeFile(ram, new Uint8Array(ramBytes).fill(1));
  await Deno.writeFile(join(folder, momentFiles.state), state);
  await Deno.writeTextFile(join(folder, momentFiles.disk), "a disk");
  const moment: MomentRecord = {
    schemaVersion: 1,
    kind: "warm",
    createdAt: "2026-01-02T00:00:00.000Z",
    base: { kind: base.kind, name: base.name },
    fingerprint: { ...await fingerprintOf(context, base.digest, record, "shared"), ...differs },
    hostKey: "ssh-ed25519 AAAA",
    virtualSizeBytes: base.virtualSizeBytes,
    stateDigest: await sha256(state),
    ram: { sizeBytes: ramBytes, modifiedAt: (await Deno.stat(ram)).mtime!.toISOString() },
  };
  await writeMoment(folder, moment);
  return folder;
}
