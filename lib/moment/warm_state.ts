import { join } from "node:path";
import { z } from "zod";
import { diskUseBytes } from "../image/unused_disks.ts";
import { momentFiles } from "../store/files.ts";
import type { Base } from "./base.ts";
import { memoryBytes, usedAt } from "./cap.ts";
import { type Moment, momentsOf } from "./moment.ts";

/** A warm state as operations give it. */
export const warmStateFields = z.strictObject({
  cpus: z.number().describe("Virtual CPUs of the VMs that wake from it"),
  memoryMib: z.number().describe("Memory of the VMs that wake from it, in MiB"),
  user: z.string().describe("Login user of the VMs that wake from it"),
  createdAt: z.string().describe("When it was frozen (RFC 3339)"),
  lastUsedAt: z.string().describe("When a VM last woke from it, or it was frozen (RFC 3339)"),
  memoryBytes: z.number().describe("What its memory and device state take on the disk, in bytes"),
  diskBytes: z.number().describe("What its disk layer takes, in bytes"),
  freedAt: z.string().optional().describe("When its memory was freed for others (RFC 3339)"),
  failure: z.string().optional().describe("Why nothing wakes from it any more"),
});

/** A warm state as operations give it. */
export type WarmState = z.output<typeof warmStateFields>;

/** Measures a warm state. */
export async function warmState(moment: Moment): Promise<WarmState> {
  const { record, folder } = moment;
  const { cpus, memoryMib, user } = record.fingerprint;
  return {
    cpus,
    memoryMib,
    user,
    createdAt: record.createdAt,
    lastUsedAt: new Date(await usedAt(moment)).toISOString(),
    memoryBytes: await memoryBytes(moment),
    diskBytes: await diskUseBytes(join(folder, momentFiles.disk)),
    freedAt: record.freedAt,
    failure: record.failure,
  };
}

/** The warm states of a base, newest first. */
export async function warmStates(
  home: string,
  base: Pick<Base, "kind" | "name" | "digest">,
): Promise<WarmState[]> {
  return await Promise.all((await momentsOf(home, base)).map(warmState));
}
