import { z } from "zod";
import type { Context } from "../context.ts";
import { thisPlatform } from "../host/platform.ts";
import { field, operation } from "../operation.ts";
import { type Check, type Examination, type Finding, finding } from "./checks/check.ts";
import { home, staging } from "./checks/home.ts";
import { disks, images } from "./checks/images.ts";
import { incubators } from "./checks/incubators.ts";
import { accelerator, firmware, processTools, qemu, qemuImg, ssh } from "./checks/programs.ts";
import { disk, memory } from "./checks/resources.ts";
import { templates, warm } from "./checks/templates.ts";
import { orphans, sockets, vms } from "./checks/vms.ts";

/** Everything that doctor looks at, in the order in which it is told. */
export const checks: Check[] = [
  ...[home, qemu, qemuImg, firmware, accelerator, ssh, processTools, disk, memory],
  ...[vms, sockets, orphans, incubators, images, disks, templates, warm, staging],
];

const input = z.strictObject({
  fix: field("commandLine", z.boolean().default(false)).describe(
    "Put right what is safe to: permissions, leftovers, stale sockets; never packages",
  ),
});

const output = z.strictObject({
  ok: z.boolean().describe("False when something keeps Nido from running VMs"),
  findings: z.array(finding).describe("What was looked at"),
});

/** Looks over the host and the home. */
export async function doctor(
  context: Context,
  { fix }: z.output<typeof input>,
): Promise<z.output<typeof output>> {
  return await examine({ context, platform: thisPlatform(), fix });
}

/** Runs all checks; one that can't be made is a warning, and hides no other. */
export async function examine(
  examination: Examination,
  list: Check[] = checks,
): Promise<z.output<typeof output>> {
  const findings: Finding[] = [];
  for (const check of list) {
    examination.context.signal.throwIfAborted();
    try {
      findings.push(...await check.run(examination));
    } catch (thrown) {
      examination.context.signal.throwIfAborted();
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      const message = `This could not be looked at: ${reason}`;
      findings.push({ name: check.name, state: "warning", message });
    }
  }
  return { ok: findings.every(({ state }) => state !== "blocked"), findings };
}

function asText({ ok, findings }: z.output<typeof output>): string {
  const wide = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.flatMap(({ state, name, message, fix, fixed }) => {
    const shown = (fixed ? "fixed" : state).padEnd(7);
    const line = `${shown}  ${name.padEnd(wide)}  ${message}`;
    return fix ? [line, " ".repeat(wide + 11) + fix] : [line];
  });
  const worried = findings.some(({ state }) => state === "warning");
  const verdict = !ok
    ? "The nest is not ready: put right what is blocked."
    : worried
    ? "The nest is ready, with the warnings above."
    : "The nest is sound.";
  return [...lines, "", verdict].join("\n");
}

export default operation({
  name: "system.doctor",
  summary: "Check what this host has and what is wrong with it",
  description: "Looks at QEMU, firmware, the accelerator and why it was chosen, other programs, " +
    "disk, memory, the home, VMs, images and templates. Each finding has a state and the command that changes it.",
  effect: "change",
  readsUnless: "fix",
  idempotent: true,
  input,
  output,
  examples: ["nido doctor", "nido doctor --fix"],
  text: asText,
  exitStatus: ({ ok }) => ok ? 0 : 1,
  run: doctor,
});
