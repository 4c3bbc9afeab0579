import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { type Arch, type HostOs, type Platform, thisPlatform } from "../host/platform.ts";
import { readFact, writeFact } from "../store/fact.ts";
import type { AcceleratorName } from "./accelerator_name.ts";
import { findQemu } from "./installation.ts";
import { probe } from "./probe/probe.ts";

export { acceleratorArgument, type AcceleratorName, cpuModel } from "./accelerator_name.ts";

/** The accelerator for guests of one architecture, and why it is this one. */
export interface AcceleratorChoice {
  name: AcceleratorName;
  /** One sentence for a person, without a period. */
  reason: string;
  /** The faster ones that can't be used here. */
  rejected: Rejection[];
}

/** Why an accelerator can't be used, and the command that may change that. */
export interface Rejection {
  name: AcceleratorName;
  reason: string;
  fix?: string;
}

/** How to choose, besides what is wanted. */
export interface ChoiceOptions {
  platform?: Platform;
  /** Probe again although the answer is known. */
  fresh?: boolean;
}

const NATIVE: Record<HostOs, AcceleratorName> = { linux: "kvm", darwin: "hvf", windows: "whpx" };
const NAMES = ["kvm", "hvf", "whpx", "tcg"] as const;
const CLOCK_TOLERANCE_MS = 60_000;

const choiceFact = z.object({
  build: z.string(),
  bootedAt: z.iso.datetime(),
  choice: z.object({
    name: z.enum(NAMES),
    reason: z.string(),
    rejected: z.array(
      z.object({ name: z.enum(NAMES), reason: z.string(), fix: z.string().optional() }),
    ),
  }),
});

/**
 * Chooses the accelerator for guests of an architecture: the host's own if a test program runs in
 * it, else TCG. The answer is kept until the next boot or another QEMU. One that is `wanted` and
 * can't be used is `host_missing`.
 */
export async function chooseAccelerator(
  context: Context,
  arch: Arch,
  wanted?: AcceleratorName,
  options: ChoiceOptions = {},
): Promise<AcceleratorChoice> {
  if (wanted === "tcg") return { name: "tcg", reason: "TCG was asked for", rejected: [] };
  const platform = options.platform ?? thisPlatform();
  const choice = await bestChoice(context, arch, platform, options.fresh ?? false);
  if (wanted === undefined || wanted === choice.name) return choice;
  const rejection = choice.rejected.find(({ name }) => name === wanted) ??
    { reason: `it does not exist on ${platform.os}`, fix: undefined };
  throw new NidoError(
    "host_missing",
    `Cannot run ${arch} guests with ${wanted}: ${rejection.reason}`,
    { hint: rejection.fix ?? "nido doctor", details: { accelerator: wanted } },
  );
}

async function bestChoice(
  context: Context,
  arch: Arch,
  platform: Platform,
  fresh: boolean,
): Promise<AcceleratorChoice> {
  const native = NATIVE[platform.os];
  if (arch !== platform.arch) {
    const reason = `the guest is ${arch} and this host is ${platform.arch}`;
    return { name: "tcg", reason: emulated(reason), rejected: [{ name: native, reason }] };
  }
  const qemu = await findQemu(context, arch, platform);
  const bootedAt = new Date(context.now().getTime() - Deno.osUptime() * 1000);
  if (!fresh) {
    const known = await readFact(context.home, `accelerator-${arch}`, choiceFact);
    const age = known && Math.abs(Date.parse(known.bootedAt) - bootedAt.getTime());
    // What a person can fix may have been fixed since.
    const fixable = known?.choice.rejected.some(({ fix }) => fix);
    if (!fixable && known?.build === qemu.build && age! < CLOCK_TOLERANCE_MS) return known.choice;
  }
  const choice = await probedChoice(context, qemu.program, arch, native);
  await writeFact(context.home, `accelerator-${arch}`, {
    build: qemu.build,
    bootedAt: bootedAt.toISOString(),
    choice,
  });
  return choice;
}

async function probedChoice(
  context: Context,
  program: string,
  arch: Arch,
  native: AcceleratorName,
): Promise<AcceleratorChoice> {
  const result = await probe(context, program, arch, native);
  if (result.works) {
    return {
      name: native,
      reason: `${native.toUpperCase()} ran a test program, so guests run at nearly full speed`,
      rejected: [],
    };
  }
  const { reason, fix } = result;
  return {
    name: "tcg",
    reason: emulated(`${native.toUpperCase()} cannot be used: ${reason}`),
    rejected: [{ name: native, reason, ...(fix ? { fix } : {}) }],
  };
}

function emulated(why: string): string {
  return `guests are emulated and slow, because ${why}`;
}
