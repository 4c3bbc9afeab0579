/** The root file system: Debian's packages, configured, with nothing in it that names one machine. */
import { join } from "node:path";
import { configurationFiles, customization } from "./configuration.ts";
import type { Mirror } from "./mirror.ts";
import { archiveKeyring, isRoot, run } from "./programs.ts";
import {
  architecture,
  bootLoaderPackages,
  excludedPaths,
  keptPaths,
  packages,
  suite,
} from "./recipe.ts";

/** GRUB's two pieces, as the build leaves them in the root file system. */
export const bootLoaderFiles = {
  boot: "boot/grub/boot.img",
  core: "boot/grub/core.img",
} as const;

/** Modules that GRUB needs to find the root partition, read its configuration and start Linux. */
const bootLoaderModules = [
  ...["biosdisk", "part_gpt", "ext2", "normal", "configfile", "linux", "minicmd", "echo"],
];

/** A command run as the owner of the guest's files: root, or the caller's root in a namespace. */
export function asGuestRoot(args: string[]): string[] {
  return isRoot ? args : ["unshare", "--map-root-user", "--map-auto", "--", ...args];
}

/** Installs and configures Debian in a folder under `staging`, and returns the folder. */
export async function buildRootFileSystem(
  { staging, mirror, report }: {
    staging: string;
    mirror: Mirror;
    report: (line: string) => void;
  },
): Promise<string> {
  const archive = join(staging, "root.tar");
  const root = join(staging, "root");
  await run([
    "mmdebstrap",
    `--mode=${isRoot ? "root" : "unshare"}`,
    "--variant=minbase",
    "--format=tar",
    "--skip=output/dev",
    `--architectures=${architecture}`,
    `--keyring=${archiveKeyring}`,
    "--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr",
    `--include=${[...packages, ...bootLoaderPackages].join(",")}`,
    ...excludedPaths.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...keptPaths.map((path) => `--dpkgopt=path-include=${path}`),
    `--essential-hook=${writeFiles(configurationFiles)}`,
    `--customize-hook=${makeBootLoader()}`,
    `--customize-hook=${customization}`,
    suite,
    archive,
    ...mirror.sources,
  ], {
    env: mirror.env,
    onLine: (line) => /^I: .*\.\.\.$/.test(line) && report(line.slice(3, -3)),
  });
  report("unpacking the root file system");
  await Deno.mkdir(root);
  await run(asGuestRoot(["tar", "--extract", "--numeric-owner", "-C", root, "-f", archive]));
  await Deno.mkdir(join(root, "dev"));
  await Deno.remove(archive);
  return root;
}

/** A shell script that writes text files below the folder in `$1`. */
function writeFiles(files: Readonly<Record<string, string>>): string {
  const commands = Object.entries(files).map(([path, text]) => {
    const mode = text.startsWith("#!") ? "755" : "644";
    return `install -D -m ${mode} /dev/stdin "$1${path}" <<'END-OF-FILE'\n${text}END-OF-FILE\n`;
  });
  return `set -eu\n${commands.join("")}`;
}

/** An empty device name in the prefix means the disk that the BIOS started from. */
function makeBootLoader(): string {
  const { boot, core } = bootLoaderFiles;
  return `set -eu
    cp "$1/usr/lib/grub/i386-pc/boot.img" "$1/${boot}"
    chroot "$1" grub-mkimage -O i386-pc -o /${core} -p '(,gpt2)/boot/grub' ${
    bootLoaderModules.join(" ")
  }
    chroot "$1" apt-get purge --yes --autoremove ${bootLoaderPackages.join(" ")}
  `;
}
