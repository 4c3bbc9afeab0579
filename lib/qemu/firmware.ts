import { basename, dirname, join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { installCommand } from "../host/packages.ts";
import { type Arch, type Platform, thisPlatform } from "../host/platform.ts";
import { namesIn } from "../store/record.ts";

/** UEFI firmware for two flash devices: code, shared and read-only, and variables, to be copied. */
export interface Firmware {
  code: string;
  vars: string;
  format: "raw";
}

/** QEMU's interop firmware descriptor (docs/interop/firmware.json), as far as it matters here. */
const descriptor = z.object({
  "interface-types": z.array(z.string()),
  mapping: z.object({
    device: z.literal("flash"),
    mode: z.string().default("split"),
    executable: z.object({ filename: z.string(), format: z.literal("raw") }),
    "nvram-template": z.object({ filename: z.string(), format: z.literal("raw") }),
  }),
  targets: z.array(z.object({ architecture: z.string(), machines: z.array(z.string()) })),
  features: z.array(z.string()),
});

const MACHINE: Record<Arch, string> = { x86_64: "pc-q35-", aarch64: "virt-" };

/** Secure Boot needs SMM and enrolled keys, which Nido's machines don't have. */
const UNWANTED_FEATURES = ["secure-boot", "enrolled-keys", "requires-smm"];

/** QEMU's `virt` machine takes flash images of exactly this size. */
const ARM_FLASH_BYTES = 64 * 1024 ** 2;

/** Where firmware without a descriptor lies, below a data folder such as /usr/share. */
const KNOWN: Record<Arch, [code: string, vars: string][]> = {
  x86_64: [
    ["OVMF/OVMF_CODE_4M.fd", "OVMF/OVMF_VARS_4M.fd"],
    ["OVMF/OVMF_CODE.fd", "OVMF/OVMF_VARS.fd"],
    ["edk2/x64/OVMF_CODE.4m.fd", "edk2/x64/OVMF_VARS.4m.fd"],
    ["edk2/ovmf/OVMF_CODE.fd", "edk2/ovmf/OVMF_VARS.fd"],
    ["qemu/ovmf-x86_64-4m-code.bin", "qemu/ovmf-x86_64-4m-vars.bin"],
    ["qemu/edk2-x86_64-code.fd", "qemu/edk2-i386-vars.fd"],
    ["edk2-x86_64-code.fd", "edk2-i386-vars.fd"],
  ],
  aarch64: [
    ["AAVMF/AAVMF_CODE.fd", "AAVMF/AAVMF_VARS.fd"],
    ["edk2/aarch64/QEMU_CODE.fd", "edk2/aarch64/QEMU_VARS.fd"],
    ["edk2/aarch64/QEMU_EFI-silent-pflash.raw", "edk2/aarch64/vars-template-pflash.raw"],
    ["qemu/aavmf-aarch64-code.bin", "qemu/aavmf-aarch64-vars.bin"],
    ["qemu/edk2-aarch64-code.fd", "qemu/edk2-arm-vars.fd"],
    ["edk2-aarch64-code.fd", "edk2-arm-vars.fd"],
  ],
};

/** Finds UEFI firmware for guests of an architecture: what QEMU's descriptors name, else known paths. */
export async function findFirmware(
  _context: Context,
  arch: Arch,
  platform: Platform = thisPlatform(),
): Promise<Firmware | undefined> {
  const folders = dataFolders(platform);
  for (const folder of folders) {
    const found = await firstUsable(arch, await described(arch, join(folder, "qemu", "firmware")));
    if (found) return found;
  }
  for (const folder of folders) {
    const pairs = KNOWN[arch].map(([code, vars]) => [join(folder, code), join(folder, vars)]);
    const found = await firstUsable(arch, pairs as [string, string][]);
    if (found) return found;
  }
}

/** Finds UEFI firmware or says how to install it. */
export async function requireFirmware(
  context: Context,
  arch: Arch,
  platform: Platform = thisPlatform(),
): Promise<Firmware> {
  const found = await findFirmware(context, arch, platform);
  if (found) return found;
  throw new NidoError("host_missing", `UEFI firmware for ${arch} guests is not installed`, {
    hint: await installCommand(platform, [`firmware-${arch}`]),
  });
}

/** The data folders that belong to the program folders: /usr/share to /usr/bin. */
function dataFolders(platform: Platform): string[] {
  const folders = platform.programFolders.flatMap((folder) => {
    if (platform.os === "windows") return [join(folder, "share")];
    return /^s?bin$/.test(basename(folder)) ? [join(dirname(folder), "share")] : [];
  });
  return [...new Set(folders)];
}

async function described(arch: Arch, folder: string): Promise<[string, string][]> {
  const pairs: [string, string][] = [];
  for (const name of await readable(namesIn(folder)) ?? []) {
    if (!name.endsWith(".json")) continue;
    const text = await readable(Deno.readTextFile(join(folder, name)));
    const { data } = descriptor.safeParse(parseJson(text));
    if (!data?.["interface-types"].includes("uefi") || data.mapping.mode !== "split") continue;
    if (data.features.some((feature) => UNWANTED_FEATURES.includes(feature))) continue;
    const fits = data.targets.some(({ architecture, machines }) =>
      architecture === arch && machines.some((machine) => machine.startsWith(MACHINE[arch]))
    );
    const { executable, "nvram-template": template } = data.mapping;
    if (fits) pairs.push([executable.filename, template.filename]);
  }
  return pairs;
}

async function firstUsable(arch: Arch, pairs: [string, string][]): Promise<Firmware | undefined> {
  for (const [code, vars] of pairs) {
    const files = [await readable(Deno.stat(code)), await readable(Deno.stat(vars))];
    const fits = (info?: Deno.FileInfo) =>
      info?.isFile && (arch !== "aarch64" || info.size === ARM_FLASH_BYTES);
    if (files.every(fits)) return { code, vars, format: "raw" };
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined; // somebody else's broken descriptor is no concern of ours
  }
}

/** What can't be read isn't there for us; QEMU, run by the same user, could not read it either. */
async function readable<T>(reading: Promise<T>): Promise<T | undefined> {
  return await reading.catch(() => undefined);
}
