import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { NidoError } from "../../errors.ts";
import { type Platform, thisPlatform } from "../../host/platform.ts";
import { project } from "../../project.ts";
import { type CopyKind, thisNido } from "../../this_nido.ts";
import { type Binary, binaryAt } from "./binary.ts";

/** A copy of Nido: what kind it is, where it is, and for which system. */
export interface Copy {
  version: string;
  kind: CopyKind;
  /** The binary, the bundle, or the folder of the sources. */
  path: string;
  platform: Pick<Platform, "os" | "arch">;
}

/** The copy that runs. */
export function thisCopy(): Copy {
  const { version, kind } = thisNido;
  const here = import.meta.url;
  const path = {
    binary: () => Deno.execPath(),
    bundle: () => here.startsWith("file:") ? fileURLToPath(here) : here,
    package: () => here,
    source: () => resolve(fileURLToPath(new URL("../../..", here))),
  }[kind]();
  return { version, kind, path, platform: thisPlatform() };
}

/** What brings programs to the folders where these are, and the command that updates one of them. */
const PACKAGE_MANAGERS: [where: RegExp, command: string][] = [
  [/^\/nix\/store\//, "nix profile upgrade nido"],
  [/\/Cellar\/|\/linuxbrew\//, "brew upgrade nido"],
  [/^\/snap\//, "snap refresh nido"],
  [/\\scoop\\/i, "scoop update nido"],
  [/\\chocolatey\\/i, "choco upgrade nido"],
  [/\\WinGet\\/i, "winget upgrade nido"],
  [/^\/usr\/s?bin\//, "update nido with the system's package manager"],
];

/** How a copy is updated that `nido update` can't replace: why not, and the command that does it. */
export function updatedOtherwise(
  { kind, path }: Copy,
): { fact: string; command: string } | undefined {
  if (kind === "source") {
    return { fact: `it runs from its sources in ${path}`, command: `git -C ${path} pull` };
  }
  if (kind === "package") {
    const command = "deno run --reload -A jsr:@nido/cli version";
    return { fact: "it is a package that Deno fetches", command };
  }
  if (kind === "bundle") {
    return {
      fact: `it is the one file ${path}`,
      command: `download it anew from ${project.releases}`,
    };
  }
  const manager = PACKAGE_MANAGERS.find(([where]) => where.test(path));
  return manager && { fact: `a package manager brought ${path}`, command: manager[1] };
}

/** The binary of a copy that `nido update` can replace. */
export function replaceable(copy: Copy): Binary {
  const otherwise = updatedOtherwise(copy);
  if (!otherwise) return binaryAt(copy.path, copy.platform.os);
  throw new NidoError("wrong_state", `Cannot update this copy of Nido: ${otherwise.fact}`, {
    hint: otherwise.command,
  });
}
