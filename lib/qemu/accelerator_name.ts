import type { Arch } from "../host/platform.ts";

/** What runs a guest's instructions: the processor through KVM, HVF or WHPX, or QEMU's emulator TCG. */
export type AcceleratorName = "kvm" | "hvf" | "whpx" | "tcg";

/** The value of QEMU's `-accel`. */
export function acceleratorArgument(name: AcceleratorName, arch: Arch): string {
  // Left alone, QEMU lets its translated code grow to 1 GiB for each machine (7.2, 64-bit hosts).
  if (name === "tcg") return "tcg,thread=multi,tb-size=512";
  // QEMU's WHPX loses MSI interrupts with its in-kernel APIC; on Arm only the in-kernel one exists.
  if (name === "whpx" && arch === "x86_64") return "whpx,kernel-irqchip=off";
  return name;
}

/** The value of QEMU's `-cpu`: all that the accelerator can give. */
export function cpuModel(name: AcceleratorName, arch: Arch): string {
  if (name === "tcg") return "max";
  // WHPX stops ("Unexpected VP exit code 4") with `host` and `max` on x86; Westmere is x86-64-v2.
  if (name === "whpx") return arch === "x86_64" ? "Westmere" : "max";
  return "host";
}
