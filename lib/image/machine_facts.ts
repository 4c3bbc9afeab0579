import type { Architecture, Firmware } from "./image.ts";
import { architectureFromFile } from "./import_name.ts";
import type { Refuse } from "./refuse.ts";

/** What machine a disk is for: as the caller says, else as its file's name tells, else this host's. */
export function machineFacts(
  asked: { architecture?: Architecture; firmware?: Firmware },
  file: string,
  refuse: Refuse,
): { architecture: Architecture; firmware: Firmware } {
  const architecture = asked.architecture ?? architectureFromFile(file) ?? Deno.build.arch;
  const firmware = asked.firmware ?? (architecture === "aarch64" ? "uefi" : "bios");
  if (architecture === "aarch64" && firmware === "bios") {
    throw refuse("invalid_input", "an aarch64 machine has no BIOS; it boots by uefi");
  }
  return { architecture, firmware };
}
