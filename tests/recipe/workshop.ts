import { join } from "node:path";
import { type Context, makeContext } from "../../lib/context.ts";
import { type Platform, thisPlatform } from "../../lib/host/platform.ts";
import { archiveKeyring } from "../../lib/recipe/debian_packages/programs.ts";
import type { PackagesRecipe } from "../../lib/recipe/recipe.ts";

/** Why the tests that run the builder can't run here, printed once. */
export const cannotBuild = whyNot();

function whyNot(): boolean {
  const needed = ["/usr/bin/setpriv", "/usr/bin/setsid", "/usr/sbin/mke2fs", archiveKeyring];
  const missing = needed.filter((path) => !isThere(path));
  const isElsewhere = Deno.build.os !== "linux" || Deno.build.arch !== "x86_64";
  if (isElsewhere || missing.length > 0) {
    console.log(`skipped: images can't be built here (${missing.join(", ") || Deno.build.target})`);
  }
  return isElsewhere || missing.length > 0;
}

/** A host whose mmdebstrap, apt-get and apt-config are what a test says. */
export interface Workshop extends AsyncDisposable {
  /** The folder of the fake programs. */
  bin: string;
  home: string;
  folder: string;
  host: Platform;
  context: Context;
  told: string[];
  /** The arguments that the fake mmdebstrap got, one call after the other. */
  calls(): Promise<string[][]>;
  addProgram(name: string, script: string): Promise<void>;
}

/** What a root file system must hold for the rest of the build to go on. */
export const MAKE_ARCHIVE = `
for last; do :; done
for word; do case $word in */root.tar) archive=$word ;; esac; done
made=$(mktemp -d)
mkdir -p "$made/boot/grub" "$made/etc"
echo guest >"$made/etc/hostname"
head -c 512 /dev/zero | tr '\\0' b >"$made/boot/grub/boot.img"
head -c 2048 /dev/zero | tr '\\0' c >"$made/boot/grub/core.img"
tar -cf "$archive" -C "$made" .
rm -rf "$made"`;

/** Makes a host for one test; `script` is what its mmdebstrap does after it wrote down how it was called. */
export async function workshop(script = MAKE_ARCHIVE): Promise<Workshop> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "nido-workshop-" }));
  const [bin, home, folder] = ["bin", "home", "folder"].map((name) => join(root, name));
  for (const path of [bin!, folder!]) await Deno.mkdir(path);
  const addProgram = async (name: string, script: string) => {
    await Deno.writeTextFile(join(bin!, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  };
  const calls = join(root, "calls");
  await addProgram("mmdebstrap", `printf '%s\\0' "$@" CALL >>'${calls}'\n${script}`);
  await addProgram("apt-config", "exit 0");
  await addProgram("apt-get", "exit 0");
  const platform = thisPlatform();
  const told: string[] = [];
  return {
    bin: bin!,
    home: home!,
    folder: folder!,
    host: {
      ...platform,
      programFolders: [bin!, ...platform.programFolders, "/usr/sbin"],
      superuser: Deno.uid() === 0,
    },
    context: makeContext(home!, { report: ({ message }) => void told.push(message) }),
    told,
    async calls() {
      const text = await Deno.readTextFile(calls).catch(() => "");
      return text.split("CALL\0").slice(0, -1).map((call) => call.split("\0").slice(0, -1));
    },
    addProgram,
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** A recipe as it is when it was opened. */
export function packagesRecipe(parts: Partial<PackagesRecipe> = {}): PackagesRecipe {
  return {
    kind: "debian-packages",
    release: "bookworm",
    packages: [],
    mirror: "http://mirror.example.org/debian",
    diskGib: 1,
    reference: "mine",
    digest: `sha256:${"0".repeat(64)}`,
    ...parts,
  };
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
