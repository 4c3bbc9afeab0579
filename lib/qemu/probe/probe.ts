import { join } from "node:path";
import type { Context } from "../../context.ts";
import { NidoError } from "../../errors.ts";
import type { Arch } from "../../host/platform.ts";
import { run } from "../../host/process.ts";
import { withStaging } from "../../store/staging.ts";
import { acceleratorArgument, type AcceleratorName, cpuModel } from "../accelerator_name.ts";
import { armProbeKernel } from "./arm_kernel.ts";
import { x86ProbeRom } from "./x86_rom.ts";

/** A working accelerator needs about 50 ms, TCG 100 ms, on a quiet machine. */
const DEADLINE_MS = 5_000;

/** What a probe found: that an accelerator works, or why not and what may help. */
export type ProbeResult = { works: true } | { works: false; reason: string; fix?: string };

interface ProbeMachine {
  code: () => Uint8Array;
  args: (codeFile: string) => string[];
  success: number;
}

const MACHINES: Record<Arch, ProbeMachine> = {
  x86_64: {
    code: x86ProbeRom,
    args: (rom) => ["-machine", "q35", "-bios", rom, "-device", "isa-debug-exit,iobase=0xf4"],
    success: 67,
  },
  aarch64: {
    code: armProbeKernel,
    args: (kernel) => ["-machine", "virt", "-kernel", kernel],
    success: 0,
  },
};

/** Runs a tiny program in a machine under an accelerator, to see whether guests can run there. */
export async function probe(
  context: Context,
  program: string,
  arch: Arch,
  name: AcceleratorName,
  deadlineMs = DEADLINE_MS,
): Promise<ProbeResult> {
  const machine = MACHINES[arch];
  return await withStaging(context, async (folder) => {
    const codeFile = join(folder, "probe.bin");
    await Deno.writeFile(codeFile, machine.code());
    const args = [
      ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-m", "64"],
      ...["-accel", acceleratorArgument(name, arch), "-cpu", cpuModel(name, arch)],
      ...machine.args(codeFile),
    ];
    try {
      await run(program, args, {
        signal: context.signal,
        accept: [machine.success],
        timeoutMs: deadlineMs,
      });
      return { works: true };
    } catch (thrown) {
      return failure(name, thrown, deadlineMs);
    }
  });
}

function failure(name: AcceleratorName, thrown: unknown, deadlineMs: number): ProbeResult {
  if (!(thrown instanceof NidoError)) throw thrown;
  if (thrown.code === "timeout") {
    return {
      works: false,
      reason: "a test program that enters 64-bit mode did not finish in it " +
        `within ${deadlineMs / 1000} s`,
    };
  }
  if (thrown.code !== "tool_failed") throw thrown;
  const lines = (thrown.details?.stderr ?? []) as string[];
  const told = lines.join("\n");
  const known = KNOWN_FAILURES.find((each) => each.name === name && each.said.test(told));
  if (known) return { works: false, reason: known.reason, fix: known.fix };
  const first = lines.find((line) => /error|fail|cannot|could not/i.test(line)) ?? lines[0];
  const fact = first?.replace(/^\S*qemu-system-\S+: /, "").replace(/^error: /, "") ||
    `exit code ${thrown.details?.exitCode}`;
  return { works: false, reason: `QEMU failed with it: ${fact}` };
}

/** What QEMU 7.2 to 10 print, and what a person can do about it. */
const KNOWN_FAILURES: { name: AcceleratorName; said: RegExp; reason: string; fix?: string }[] = [
  {
    name: "kvm",
    said: /KVM kernel module: No such file|KVM kernel module: No such device/,
    reason: "/dev/kvm does not exist",
    fix: "sudo modprobe kvm_intel || sudo modprobe kvm_amd",
  },
  {
    name: "kvm",
    said: /KVM kernel module: Permission denied/,
    reason: "this user may not open /dev/kvm",
    fix: "sudo usermod -aG kvm $USER && newgrp kvm",
  },
  {
    name: "whpx",
    said: /WinHvPlatform|No accelerator found/,
    reason: "the Windows Hypervisor Platform is switched off",
    fix: "Enable-WindowsOptionalFeature -Online -FeatureName HypervisorPlatform",
  },
  ...(["kvm", "hvf", "whpx"] as const).map((name) => ({
    name,
    said: /invalid accelerator/,
    reason: "this QEMU was built without it",
  })),
];
