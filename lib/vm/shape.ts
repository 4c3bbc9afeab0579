import { z } from "zod";
import { NidoError } from "../errors.ts";
import { hostMemory } from "../host/platform.ts";

/** Fields that several verbs share: what a VM may be made of. */
export const cpus = z.int().min(1).max(256);

/** Memory of a VM in MiB. */
export const memoryMib = z.int().min(128, "a VM needs at least 128 MiB").max(4_194_304);

/** Size of a VM's disk in GiB. */
export const diskGib = z.number().min(0.001).max(16_384);

/** What of the network a guest reaches. */
export const network = z.enum(["full", "none"]);

/** Seconds that a VM may stay. */
export const ttlSeconds = z.int().min(0).max(31_536_000);

/** What becomes of a VM whose lease is over. */
export const onExpiry = z.enum(["suspend", "delete"]);

/** Labels of a VM. */
export const labels = z.record(
  z.string().regex(
    /^[a-zA-Z0-9][a-zA-Z0-9._\/-]{0,62}$/,
    "a label's key is 1 to 63 letters, digits and . _ / -",
  ),
  z.string().max(256),
);

/** Refuses more memory than this host has; `doing` begins the message. */
export function checkMemory(wantedMib: number, doing: string): void {
  const hostMib = hostMemory().totalMib;
  if (wantedMib <= hostMib) return;
  throw new NidoError(
    "exhausted",
    `Cannot ${doing} ${wantedMib} MiB of memory: this host has ${hostMib} MiB`,
    { hint: "--memory 1G" },
  );
}

/** Refuses machines that this host has no memory left for; `doing` begins the message. */
export function checkFreeMemory(
  memoryMib: number,
  count: number,
  doing: string,
  hint: (fitting: number) => string,
): void {
  const { availableMib } = hostMemory();
  const neededMib = memoryMib * count;
  if (neededMib <= availableMib) return;
  const sum = count === 1 ? `${memoryMib} MiB` : `${count} x ${memoryMib} MiB = ${neededMib} MiB`;
  throw new NidoError(
    "exhausted",
    `Cannot ${doing}: ${sum} of memory are needed, and this host has ${availableMib} MiB left`,
    { hint: hint(Math.floor(availableMib / memoryMib)), details: { neededMib, availableMib } },
  );
}
