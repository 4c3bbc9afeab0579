import { z } from "zod";
import { readConfig } from "../config/config.ts";
import type { Context } from "../context.ts";
import { loginUser } from "../guest/seed.ts";
import { momentsOn } from "../image/users.ts";
import { formatBytes } from "../units.ts";
import { newRecord } from "../vm/new_record.ts";
import { cpus, memoryMib } from "../vm/shape.ts";
import type { Base } from "./base.ts";
import { differences, fingerprintOf } from "./fingerprint.ts";
import { makeMoment, told, withTurn } from "./make.ts";
import { freeMemory, type Moment, momentsOf, removeMoments } from "./moment.ts";
import { forgetUnfit } from "./unfit.ts";
import { warmState } from "./warm_state.ts";

/** What a verb that warms a base may be told. */
export const warmInput = {
  cpus: cpus.optional().describe("Virtual CPUs to be warm for; default what a spawn would have"),
  memoryMib: memoryMib.optional().describe(
    "Memory in MiB to be warm for; default what a spawn would have",
  ),
  user: loginUser.optional().describe("Login user to be warm for; default what a spawn would have"),
  timeoutSeconds: z.int().min(1).max(86_400).default(600).describe(
    "Seconds that the guest has to get ready",
  ),
};

/** What was made warm. */
export const warmOutput = z.strictObject({
  name: z.string().describe("Name of what is warm now"),
  cpus: z.number().describe("Virtual CPUs that it is warm for"),
  memoryMib: z.number().describe("Memory that it is warm for, in MiB"),
  user: z.string().describe("Login user that it is warm for"),
  memoryBytes: z.number().describe("What its memory and device state take on the disk, in bytes"),
  diskBytes: z.number().describe("What its disk layer takes, in bytes"),
  seconds: z.number().describe("Seconds that it took"),
});

/** The shape to be warm for. */
export interface WarmRequest {
  cpus?: number;
  memoryMib?: number;
  user?: string;
  timeoutSeconds: number;
}

/**
 * Makes a base warm for one shape, although it failed before or is warm already: what it had for that
 * shape goes, but for the disks that VMs stand on.
 */
export async function warmBase(
  context: Context,
  base: Base,
  { timeoutSeconds, ...wish }: WarmRequest,
): Promise<z.output<typeof warmOutput>> {
  const { warm } = await readConfig(context);
  const record = await newRecord(context, base, wish, `warm ${told(base)} with`);
  const memory = warm === "stream" ? "stream" : "shared";
  const print = await fingerprintOf(context, base.digest, record, memory);
  const since = performance.now();
  const toWarm = { base, record, timeoutSeconds };
  const moment = await withTurn(context, toWarm, print, async () => {
    const made = await makeMoment(context, toWarm, print);
    await forgetUnfit(context.home, print);
    await retireOlder(context, base, made);
    return made;
  });
  const { memoryBytes, diskBytes } = await warmState(moment);
  return {
    name: base.name,
    cpus: record.cpus,
    memoryMib: record.memoryMib,
    user: record.user,
    memoryBytes,
    diskBytes,
    seconds: Math.round(performance.now() - since) / 1000,
  };
}

async function retireOlder(context: Context, base: Base, made: Moment): Promise<void> {
  using _base = await base.hold(context, `warm ${told(base)}`);
  const stoodOn = (await momentsOn(context.home, { layer: () => true }))
    .filter(({ isStoodOn }) => isStoodOn).map(({ id }) => id);
  const older = (await momentsOf(context.home, base)).filter(({ id, record }) =>
    id !== made.id && differences(record.fingerprint, made.record.fingerprint).length === 0
  );
  for (const moment of older) {
    if (stoodOn.includes(moment.id)) await freeMemory(moment, { freedAt: made.record.createdAt });
    else await removeMoments(context, [moment.id]);
  }
}

/** What was made warm as a person reads it. */
export function warmText(kind: Base["kind"], warm: z.output<typeof warmOutput>): string {
  const { name, cpus, memoryMib, user, memoryBytes, diskBytes, seconds } = warm;
  return `${told({ kind, name })} is warm for ${cpus} CPUs, ${memoryMib} MiB and user ${user} (` +
    `memory ${formatBytes(memoryBytes)}, disk ${formatBytes(diskBytes)}, ${seconds} s)`;
}
