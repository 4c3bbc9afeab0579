import { join } from "node:path";
import { type ErrorCode, NidoError } from "../../errors.ts";
import type { PackagesRecipe } from "../recipe.ts";
import { configurationFiles, customization } from "./configuration.ts";
import { mirrorOf } from "./mirror.ts";
import {
  architecture,
  bootLoaderPackages,
  excludedPaths,
  guestPackages,
  keptPaths,
} from "./packages.ts";
import { archiveKeyring, runIn, type Workshop } from "./programs.ts";

/** GRUB's two pieces, as they stand in the root file system. */
export const bootLoaderFiles = { boot: "boot/grub/boot.img", core: "boot/grub/core.img" } as const;

/** Modules that GRUB needs to find the root partition, read its configuration and start Linux. */
const bootLoaderModules = [
  ...["biosdisk", "part_gpt", "ext2", "normal", "configfile", "linux", "minicmd", "echo"],
];

const MOST_FAULTS = 32;
const STEP = /^I: ((?:running apt|downloading|extracting|installing|cleaning|creating) .*)\.\.\.$/;

/** Makes a tar archive of the root file system: Debian's packages, configured, of no one machine. */
export async function makeRootArchive(
  workshop: Workshop,
  recipe: PackagesRecipe,
  folder: string,
  doing: string,
): Promise<string> {
  const { context, isRoot } = workshop;
  const archive = join(folder, "root.tar");
  const mirror = await mirrorOf(workshop, recipe, doing);
  const packages = [...guestPackages, ...bootLoaderPackages, ...recipe.packages];
  const faults: string[] = [];
  const words = [
    ...workshop.ownMounts,
    "mmdebstrap",
    `--mode=${isRoot ? "root" : "unshare"}`,
    "--variant=minbase",
    "--format=tar",
    "--skip=output/dev",
    `--architectures=${architecture}`,
    `--keyring=${archiveKeyring}`,
    "--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr",
    `--include=${[...new Set(packages)].join(",")}`,
    ...excludedPaths.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...keptPaths.map((path) => `--dpkgopt=path-include=${path}`),
    `--essential-hook=${writeFiles(configurationFiles)}`,
    `--customize-hook=${makeBootLoader()}`,
    `--customize-hook=${customization}`,
    recipe.release,
    archive,
    ...mirror.sources,
  ];
  try {
    await runIn(workshop, words, {
      // As root its own folder lies in ours, and is swept with it; a namespace's root may not go there.
      env: isRoot ? { ...mirror.env, TMPDIR: folder } : mirror.env,
      onLine: (line) => {
        const step = STEP.exec(line)?.[1];
        if (step) context.report({ stage: "build", message: step });
        if (line.startsWith("E: ") && faults.length < MOST_FAULTS) faults.push(line.slice(3));
      },
    });
  } catch (error) {
    throw error instanceof NidoError && error.code === "tool_failed"
      ? explained(error, faults, recipe, mirror.sources, doing)
      : error;
  }
  return archive;
}

// What apt of Debian 12 says (apt 2.6).
const FAULTS: [said: RegExp, code: ErrorCode, fact: (found: string[]) => string][] = [
  [
    /^Failed to fetch (\S+)\s+(.*)/,
    "unavailable",
    ([, url, why]) => `${new URL(url!).origin} can't be used: ${why}`,
  ],
  [
    /^The repository '(\S+ \S+) Release' does not have/,
    "invalid_input",
    ([, which]) => `there is no release at ${which}`,
  ],
  [/^Unable to locate package (\S+)/, "invalid_input", ([, name]) => `no package ${name}`],
  [
    /^Package '?(\S+?)'? has no installation candidate/,
    "invalid_input",
    ([, name]) => `no package ${name}`,
  ],
  [/^(The repository .* is not signed)/, "integrity", ([, said]) => said!],
  [/^(.*(?:NO_PUBKEY|EXPKEYSIG|BADSIG).*)/, "integrity", ([, said]) => said!],
  [/No space left on device/, "exhausted", () => "the disk filled up"],
];

function explained(
  failed: NidoError,
  faults: string[],
  { reference }: PackagesRecipe,
  sources: string[],
  doing: string,
): NidoError {
  const details = { ...failed.details, recipe: reference, sources, faults };
  for (const [said, code, fact] of FAULTS) {
    const found = faults.map((fault) => said.exec(fault)).find((match) => match !== null);
    if (!found) continue;
    const hint = code === "unavailable"
      ? `name another mirror: nido image build ${reference} --mirror https://...`
      : undefined;
    return new NidoError(code, `Cannot ${doing}: ${fact(found)}`, { hint, details, cause: failed });
  }
  const first = faults[0] ?? failed.message.replace(/^\S+ failed: /, "");
  return new NidoError("tool_failed", `Cannot ${doing}: mmdebstrap failed: ${first}`, {
    details,
    cause: failed,
  });
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
