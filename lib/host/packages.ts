import type { Arch, HostOs, Platform } from "./platform.ts";
import { findProgram } from "./program.ts";

/** Something Nido needs that a package brings. */
export type Need =
  | `qemu-${Arch}`
  | "qemu-img"
  | `firmware-${Arch}`
  | "ssh"
  | "ps"
  | "kill";

/** The package managers whose commands Nido can name. */
export type PackageManager = keyof typeof MANAGERS;

interface Manager {
  os: HostOs;
  program: string;
  install: string;
  needsSudo: boolean;
  packages: Record<Need, string[]>;
}

const MANAGERS = {
  apt: {
    os: "linux",
    program: "apt-get",
    install: "apt-get install -y",
    needsSudo: true,
    packages: {
      "qemu-x86_64": ["qemu-system-x86", "qemu-utils"],
      "qemu-aarch64": ["qemu-system-arm", "qemu-utils"],
      "qemu-img": ["qemu-utils"],
      "firmware-x86_64": ["ovmf"],
      "firmware-aarch64": ["qemu-efi-aarch64"],
      ssh: ["openssh-client"],
      ps: ["procps"],
      kill: ["procps"],
    },
  },
  dnf: {
    os: "linux",
    program: "dnf",
    install: "dnf install -y",
    needsSudo: true,
    packages: {
      "qemu-x86_64": ["qemu-system-x86", "qemu-img"],
      "qemu-aarch64": ["qemu-system-aarch64", "qemu-img"],
      "qemu-img": ["qemu-img"],
      "firmware-x86_64": ["edk2-ovmf"],
      "firmware-aarch64": ["edk2-aarch64"],
      ssh: ["openssh-clients"],
      ps: ["procps-ng"],
      kill: ["util-linux"],
    },
  },
  pacman: {
    os: "linux",
    program: "pacman",
    install: "pacman -S --needed --noconfirm",
    needsSudo: true,
    packages: {
      "qemu-x86_64": ["qemu-system-x86", "qemu-img"],
      "qemu-aarch64": ["qemu-system-aarch64", "qemu-img"],
      "qemu-img": ["qemu-img"],
      "firmware-x86_64": ["edk2-ovmf"],
      "firmware-aarch64": ["edk2-aarch64"],
      ssh: ["openssh"],
      ps: ["procps-ng"],
      kill: ["util-linux"],
    },
  },
  zypper: {
    os: "linux",
    program: "zypper",
    install: "zypper --non-interactive install",
    needsSudo: true,
    packages: {
      "qemu-x86_64": ["qemu-x86", "qemu-tools"],
      "qemu-aarch64": ["qemu-arm", "qemu-tools"],
      "qemu-img": ["qemu-tools"],
      "firmware-x86_64": ["qemu-ovmf-x86_64"],
      "firmware-aarch64": ["qemu-uefi-aarch64"],
      ssh: ["openssh-clients"],
      ps: ["procps"],
      kill: ["util-linux"],
    },
  },
  apk: {
    os: "linux",
    program: "apk",
    install: "apk add",
    needsSudo: true,
    packages: {
      "qemu-x86_64": ["qemu-system-x86_64", "qemu-img"],
      "qemu-aarch64": ["qemu-system-aarch64", "qemu-img"],
      "qemu-img": ["qemu-img"],
      "firmware-x86_64": ["ovmf"],
      "firmware-aarch64": ["aavmf"],
      ssh: ["openssh-client"],
      ps: ["procps"],
      kill: ["procps"],
    },
  },
  brew: {
    os: "darwin",
    program: "brew",
    install: "brew install",
    needsSudo: false,
    packages: {
      "qemu-x86_64": ["qemu"],
      "qemu-aarch64": ["qemu"],
      "qemu-img": ["qemu"],
      "firmware-x86_64": ["qemu"],
      "firmware-aarch64": ["qemu"],
      ssh: ["openssh"],
      ps: [],
      kill: [],
    },
  },
  winget: {
    os: "windows",
    program: "winget",
    install: "winget install --exact --id",
    needsSudo: false,
    packages: {
      "qemu-x86_64": ["SoftwareFreedomConservancy.QEMU"],
      "qemu-aarch64": ["SoftwareFreedomConservancy.QEMU"],
      "qemu-img": ["SoftwareFreedomConservancy.QEMU"],
      "firmware-x86_64": ["SoftwareFreedomConservancy.QEMU"],
      "firmware-aarch64": ["SoftwareFreedomConservancy.QEMU"],
      ssh: ["Microsoft.OpenSSH.Preview"],
      ps: [],
      kill: [],
    },
  },
} as const satisfies Record<string, Manager>;

const BY_HAND: Record<Need, string> = {
  "qemu-x86_64": "Install QEMU 7.2 or newer for x86_64 guests: https://www.qemu.org/download/",
  "qemu-aarch64": "Install QEMU 7.2 or newer for aarch64 guests: https://www.qemu.org/download/",
  "qemu-img": "Install QEMU's qemu-img: https://www.qemu.org/download/",
  "firmware-x86_64": "Install the UEFI firmware for x86_64 guests (OVMF)",
  "firmware-aarch64": "Install the UEFI firmware for aarch64 guests (AAVMF)",
  ssh: "Install the OpenSSH client",
  ps: "Install ps (procps)",
  kill: "Install kill (procps or util-linux)",
};

/** The package manager of this host, if it has one that Nido knows. */
export async function packageManager(platform: Platform): Promise<PackageManager | undefined> {
  for (const [name, manager] of Object.entries(MANAGERS)) {
    if (manager.os !== platform.os) continue;
    // Naming the command is a courtesy: no permission to look for it must not hide the real error.
    const program = await findProgram(platform, manager.program).catch(() => undefined);
    if (program) return name as PackageManager;
  }
}

/** The exact command that brings what is needed, or what to look for where no command is known. */
export async function installCommand(platform: Platform, needs: Need[]): Promise<string> {
  const name = await packageManager(platform);
  const manager: Manager | undefined = name && MANAGERS[name];
  const packages = manager && [...new Set(needs.flatMap((need) => manager.packages[need]))];
  if (!manager || !packages?.length) return needs.map((need) => BY_HAND[need]).join("; ");
  const sudo = manager.needsSudo && !platform.superuser ? "sudo " : "";
  return `${sudo}${manager.install} ${packages.join(" ")}`;
}
