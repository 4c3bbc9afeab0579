import type { Context } from "../../context.ts";
import { NidoError } from "../../errors.ts";
import { type Platform, thisPlatform } from "../../host/platform.ts";
import { type Finished, run } from "../../host/process.ts";
import { findProgram } from "../../host/program.ts";
import { isThere } from "../../store/is_there.ts";

/** The keyring that Debian's archive is verified with. */
export const archiveKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

const PACKAGES: Readonly<Record<string, string>> = {
  mke2fs: "e2fsprogs",
  mmdebstrap: "mmdebstrap",
  "qemu-img": "qemu-utils",
  setpriv: "util-linux",
  tar: "tar",
  unshare: "util-linux",
};

/** What it takes besides where it isn't root's to do. */
const ROOTLESS_PACKAGES: Readonly<Record<string, string>> = { newuidmap: "uidmap" };

/** The machine that an image is made on, where that can be done. */
export interface Workshop {
  context: Context;
  /** Whether it is root's to do, and needs no user namespace. */
  isRoot: boolean;
  /** PATH of the programs that are run. */
  path: string;
  /** What gives a program mounts of its own, which end with it, where it is root's to do. */
  ownMounts: string[];
}

/** Says what this host lacks to make an image from Debian's packages, with the command that brings it. */
export async function openWorkshop(
  context: Context,
  doing: string,
  host: Platform = hostWithRootsPrograms(),
): Promise<Workshop> {
  const refuse = (fact: string, hint = "nido image import FILE") =>
    new NidoError("host_missing", `Cannot ${doing}: ${fact}`, { hint });
  if (host.os !== "linux" || host.arch !== "x86_64") {
    const here = `${host.os} on ${host.arch}`;
    throw refuse(`that is done on Debian and its like on x86_64, and this is ${here}`);
  }
  const has = (program: string) => findProgram(host, program);
  if (!await has("apt-get")) {
    throw refuse("that is done on Debian and its like, and this host has no apt-get");
  }
  const needed = host.superuser ? PACKAGES : { ...PACKAGES, ...ROOTLESS_PACKAGES };
  const missing: string[] = [];
  for (const program of Object.keys(needed)) {
    if (!await has(program)) missing.push(program);
  }
  const packages = new Set(missing.map((program) => needed[program]!));
  if (!await isThere(archiveKeyring)) {
    missing.push(archiveKeyring);
    packages.add("debian-archive-keyring");
  }
  if (missing.length > 0) {
    const sudo = host.superuser ? "" : "sudo ";
    throw refuse(
      `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not installed`,
      `${sudo}apt-get install -y ${[...packages].sort().join(" ")}`,
    );
  }
  const path = host.programFolders.join(":");
  return { context, isRoot: host.superuser, path, ownMounts: await ownMounts(context, path) };
}

/** This host, with the folders in which only root looks. */
function hostWithRootsPrograms(): Platform {
  const host = thisPlatform();
  const programFolders = [...new Set([...host.programFolders, "/usr/sbin", "/sbin"])];
  return { ...host, programFolders };
}

const UNSHARE = ["unshare", "--mount", "--"];

/** Where mounts of our own are not allowed, none can be made at all, and none could be left. */
async function ownMounts(context: Context, path: string): Promise<string[]> {
  const how = { signal: context.signal, env: { PATH: path }, accept: [0, 1] };
  const { code } = await run(UNSHARE[0]!, [...UNSHARE.slice(1), "true"], how);
  return code === 0 ? UNSHARE : [];
}

/** How a program is run in a workshop. */
export interface Working {
  env?: Record<string, string>;
  /** Hears each line that it writes to standard error. */
  onLine?: (line: string) => void;
}

/** Runs a program to its end; interrupted, or killed with Nido, all that it started ends too. */
export async function runIn(
  { context, path }: Workshop,
  [program = "", ...args]: string[],
  { env, onLine }: Working = {},
): Promise<Finished> {
  const decoder = new TextDecoder();
  let unfinished = "";
  return await run(program, args, {
    together: true,
    env: { ...env, PATH: path, LC_ALL: "C.UTF-8" },
    signal: context.signal,
    hearErrors: (chunk) => {
      const lines = (unfinished + decoder.decode(chunk, { stream: true })).split(/[\r\n]+/);
      unfinished = lines.pop()!.slice(-4096);
      lines.forEach((line) => onLine?.(line));
    },
  });
}

/** A command run as the owner of the guest's files: root, or the caller's root in a namespace. */
export function asGuestRoot({ isRoot }: Workshop, words: string[]): string[] {
  return isRoot ? words : ["unshare", "--map-root-user", "--map-auto", "--", ...words];
}
