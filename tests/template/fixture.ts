import { join } from "node:path";
import { type StoreRequest, storeTemplate, type TemplateParts } from "../../lib/template/store.ts";
import type { Template } from "../../lib/template/template.ts";
import { files, vmFiles } from "../../lib/store/files.ts";
import { overlay } from "../image/fake_vm.ts";
import { type Fixture, fixture, poke, writeQcow2 } from "../image/fixture.ts";

/** What a template made of VM `dev` is told to be. */
export function parts(name: string, more: Partial<TemplateParts> = {}): TemplateParts {
  return {
    name,
    labels: { team: "birds" },
    source: { vm: "dev", image: { name: "debian", digest: `sha256:${"a".repeat(64)}` } },
    architecture: "x86_64",
    firmware: "bios",
    machineType: "pc-q35-7.2",
    cpus: 2,
    memoryMib: 512,
    user: "nido",
    network: "full",
    ports: ["web:80"],
    keptIdentity: false,
    ...more,
  };
}

/** A home, and a disk of two layers as a VM's is. */
export async function withDisk(): Promise<Fixture & { disk: string }> {
  const at = await fixture();
  await writeQcow2(at.at("base.qcow2"), 1 << 20);
  await overlay(at.at("disk.qcow2"), at.at("base.qcow2"));
  return Object.assign(at, { disk: at.at("disk.qcow2") });
}

/** A home with one template. */
export async function withTemplate(
  name = "web",
  how: { expand?: boolean } = {},
): Promise<Fixture & { disk: string; template: Template }> {
  const at = await withDisk();
  const template = await store(at, name, how);
  return Object.assign(at, { template });
}

/** Stores the fixture's disk as a template. */
export async function store(
  at: Fixture & { disk: string },
  name: string,
  how: { force?: boolean; expand?: boolean; diskSource?: string } = {},
): Promise<Template> {
  return await storeTemplate(at.context, storeRequest(name, how.diskSource ?? at.disk, how));
}

/** What is to be stored of a disk that is there already. */
export function storeRequest(
  name: string,
  disk: string,
  { force = false, expand = false }: { force?: boolean; expand?: boolean } = {},
): StoreRequest {
  return {
    name,
    vm: "dev",
    force,
    expand,
    lend: (use) => use({ parts: parts(name), disk }),
  };
}

/** A VM's folder as far as templates care. */
export async function cloneOf(home: string, vm: string, diskPath: string): Promise<void> {
  await overlay(join(files.vm(home, vm), "disk-1.qcow2"), diskPath);
  await Deno.writeTextFile(join(files.vm(home, vm), vmFiles.record), "{}");
}

/** Changes one byte of a sealed file. */
export async function spoil(path: string, at: number): Promise<void> {
  await Deno.chmod(path, 0o600);
  const byte = (await Deno.readFile(path))[at]!;
  await poke(path, at, [byte ^ 0xff]);
}
