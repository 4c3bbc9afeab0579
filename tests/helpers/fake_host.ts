import { join } from "node:path";
import { type Context, makeContext } from "../../lib/context.ts";
import type { Platform } from "../../lib/host/platform.ts";
import { prepareHome } from "../../lib/store/home.ts";

/** A host made for one test: a home, and a folder that is all there is of PATH. */
export interface FakeHost extends AsyncDisposable {
  context: Context;
  platform: Platform;
  /** Puts a shell script where programs are looked for, and gives its path. */
  addProgram(name: string, script: string): Promise<string>;
}

/** Makes a host that has nothing but what the test adds. */
export async function fakeHost(parts: Partial<Platform> = {}): Promise<FakeHost> {
  const folder = await Deno.makeTempDir({ prefix: "nido-host-" });
  const programs = join(folder, "bin");
  await Deno.mkdir(programs);
  const home = join(folder, "home");
  await prepareHome(home);
  return {
    context: makeContext(home),
    platform: {
      os: "linux",
      arch: "x86_64",
      programFolders: [programs],
      superuser: false,
      ...parts,
    },
    async addProgram(name, script) {
      const path = join(programs, name);
      await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      return path;
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
