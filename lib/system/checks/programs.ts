import { NidoError } from "../../errors.ts";
import { installCommand, type Need } from "../../host/packages.ts";
import type { Arch } from "../../host/platform.ts";
import { findProgram } from "../../host/program.ts";
import { chooseAccelerator } from "../../qemu/accelerator.ts";
import { requireFirmware } from "../../qemu/firmware.ts";
import { findQemu, findQemuImg } from "../../qemu/installation.ts";
import { type Check, type Examination, type Finding, tried } from "./check.ts";

const ARCHES: Arch[] = ["x86_64", "aarch64"];

/** The architectures whose guests matter here: the host's own, and what else QEMU is there for. */
async function arches({ platform }: Examination): Promise<Arch[]> {
  const installed: Arch[] = [];
  for (const arch of ARCHES.filter((arch) => arch !== platform.arch)) {
    if (await findProgram(platform, `qemu-system-${arch}`)) installed.push(arch);
  }
  return [platform.arch, ...installed];
}

/** QEMU for the host's architecture, and for others where it is installed. */
export const qemu: Check = {
  name: "qemu",
  run: async (examination) => {
    const { context, platform } = examination;
    return await Promise.all(
      (await arches(examination)).map((arch) =>
        tried("qemu", arch === platform.arch ? "blocked" : "warning", async () => {
          const { version, program } = await findQemu(context, arch, platform);
          return `QEMU ${version} for ${arch} guests is ${program}`;
        })
      ),
    );
  },
};

/** QEMU's disk tool. */
export const qemuImg: Check = {
  name: "qemu-img",
  run: async ({ context, platform }) => [
    await tried("qemu-img", "blocked", async () => {
      return `qemu-img is ${await findQemuImg(context, platform)}`;
    }),
  ],
};

/** UEFI: arm64 guests can't boot without, x86-64 guests need it only when they ask for it. */
export const firmware: Check = {
  name: "firmware",
  run: async (examination) => {
    const { context, platform } = examination;
    return await Promise.all((await arches(examination)).map((arch) => {
      const isNeeded = arch === "aarch64" && platform.arch === "aarch64";
      return tried("firmware", isNeeded ? "blocked" : "warning", async () => {
        const { code } = await requireFirmware(context, arch, platform);
        return `UEFI firmware for ${arch} guests is ${code}`;
      });
    }));
  },
};

/** What runs the guests, probed anew, and why nothing faster does. */
export const accelerator: Check = {
  name: "accelerator",
  run: async ({ context, platform }): Promise<Finding[]> => {
    try {
      const choice = await chooseAccelerator(context, platform.arch, undefined, {
        platform,
        fresh: true,
      });
      const fix = choice.rejected.find(({ fix }) => fix)?.fix;
      return [{
        name: "accelerator",
        state: choice.name === "tcg" ? "warning" : "ok",
        message: `${choice.name.toUpperCase()} runs ${platform.arch} guests: ${choice.reason}`,
        ...(fix ? { fix } : {}),
      }];
    } catch (thrown) {
      // Without QEMU there is nothing to choose, and the check for QEMU says so.
      if (thrown instanceof NidoError && thrown.code === "host_missing") return [];
      throw thrown;
    }
  },
};

function program(
  name: string,
  need: Need,
  without: "warning" | "blocked",
  purpose: string,
): Check {
  return {
    name,
    run: async ({ platform }) => [
      await tried(name, without, async () => {
        const found = await findProgram(platform, name);
        if (found) return `${name} is ${found.path}`;
        throw new NidoError("host_missing", `${name} is not on PATH; ${purpose}`, {
          hint: await installCommand(platform, [need]),
        });
      }),
    ],
  };
}

/** The system's ssh client. */
export const ssh = program("ssh", "ssh", "warning", "only nido ssh needs it");

/** The programs that know and end processes; Windows has others. */
export const processTools: Check = {
  name: "processes",
  run: async (examination) => {
    if (examination.platform.os === "windows") return [];
    const purpose = "Nido needs it to know and end its own processes";
    const both = [
      program("ps", "ps", "blocked", purpose),
      program("kill", "kill", "blocked", purpose),
    ];
    return (await Promise.all(both.map((check) => check.run(examination)))).flat();
  },
};
