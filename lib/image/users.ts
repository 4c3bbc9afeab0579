import { resolve, sep } from "node:path";
import { NidoError } from "../errors.ts";
import { files } from "../store/files.ts";
import { type Standing, type StandingRecord, type Standings, standings } from "./standing.ts";

/** Which disks are asked about: those below which something may stand. */
export interface Meant {
  /** Whether the layer at this absolute path is one of them. */
  layer(path: string): boolean;
  /**
   * Whether a record names one, asked only where the disks can't be read. Without it, whatever has
   * unreadable disks counts as a user.
   */
  record?(record: StandingRecord): boolean;
}

/** A moment that stands on something, and whether a VM stands on it. */
export interface StandingMoment {
  id: string;
  /** Made for a base and not of a VM: it goes with its base. */
  isWarm: boolean;
  isStoodOn: boolean;
}

/** An image's stored disk. */
export function imageDisk(home: string, digest: string): Meant {
  const disk = resolve(files.diskImage(home, digest));
  return {
    layer: (path) => path === disk,
    record: ({ image }) => image?.digest === undefined || image.digest === digest,
  };
}

/** The disks of a template. */
export function templateDisks(home: string, name: string): Meant {
  return {
    layer: inside(files.template(home, name)),
    record: ({ template, image }) => template ? template.name === name : image === undefined,
  };
}

/** A frozen layer. */
export function frozenLayer(home: string, id: string): Meant {
  const layer = resolve(files.layer(home, id));
  return { layer: (path) => path === layer };
}

/** The VMs that stand on a stored disk, and the moments that no VM explains. */
export async function diskUsers(home: string, digest: string): Promise<string[]> {
  return await usersOfLayers(home, imageDisk(home, digest));
}

/** The users of each of these stored disks, with everything looked at once. */
export async function usersOfDisks(
  home: string,
  digests: string[],
): Promise<Map<string, string[]>> {
  const all = await standings(home);
  return new Map(digests.map((digest) => [digest, usersAmong(all, imageDisk(home, digest))]));
}

/**
 * What stands on some disks: VMs by name, then `moment <id>` for each moment that no VM explains. A
 * warm moment on which no VM stands is no user. The overlays themselves are asked, so that no record
 * can lie; what has neither readable disks nor a readable record counts as a user of every disk.
 */
export async function usersOfLayers(home: string, meant: Meant): Promise<string[]> {
  return usersAmong(await standings(home), meant);
}

/** The same, among what was looked at before. */
export function usersAmong({ vms, moments }: Standings, meant: Meant): string[] {
  const users = new Set(vms.filter((vm) => standsOn(vm, meant)).map(({ name }) => name));
  const unexplained = moments.filter((moment) =>
    standsOn(moment, meant) && !isWarm(moment) && !isStoodOn(moment, vms) &&
    !users.has(moment.record?.vm ?? "")
  );
  return [...[...users].sort(), ...unexplained.map(({ name }) => `moment ${name}`)];
}

/** The moments that stand on some disks. */
export async function momentsOn(home: string, meant: Meant): Promise<StandingMoment[]> {
  const { vms, moments } = await standings(home);
  return moments.filter(({ layers }) => layers.some(meant.layer)).map((moment) => ({
    id: moment.name,
    isWarm: isWarm(moment),
    isStoodOn: isStoodOn(moment, vms),
  }));
}

/** The refusal of what users forbid: `Cannot remove image "debian": in use by a, b`. */
export function inUse(doing: string, users: string[]): NidoError {
  const vms = users.filter((user) => !user.includes(" "));
  return new NidoError("in_use", `Cannot ${doing}: in use by ${users.join(", ")}`, {
    hint: vms.length > 0 ? `nido delete ${vms.join(" ")}` : undefined,
    details: { users },
  });
}

function standsOn({ layers, isReadable, record }: Standing, meant: Meant): boolean {
  if (layers.some(meant.layer)) return true;
  if (isReadable) return false;
  return record === undefined || meant.record === undefined || meant.record(record);
}

function isWarm({ record }: Standing): boolean {
  return record?.kind === "warm";
}

function isStoodOn({ disks }: Standing, vms: Standing[]): boolean {
  return vms.some(({ layers }) => layers.some((layer) => disks.includes(layer)));
}

function inside(folder: string): (path: string) => boolean {
  const start = resolve(folder) + sep;
  return (path) => path.startsWith(start);
}
