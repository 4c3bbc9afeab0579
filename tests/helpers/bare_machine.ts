import { join } from "node:path";
import { fromFileUrl } from "./paths.ts";

const ORDINARY =
  "awk cat chmod cut date dirname env grep head mkdir mktemp mv rm sed sh sort tail" +
  " touch tr uname";

/** A machine that has the ordinary programs, a home, and what else the test gives it. */
export interface BareMachine extends AsyncDisposable {
  home: string;
  folder: string;
  /** Lends it programs of this host. */
  lend(...programs: string[]): Promise<void>;
  /** Puts a shell script where programs are looked for, in place of one that is there. */
  addProgram(name: string, script: string): Promise<void>;
  /** Runs shell text after the files of scripts/setup that are named. */
  run(parts: string[], text: string, env?: Record<string, string>): Promise<[number, string]>;
}

/** Makes one; its user is not root, whoever runs the tests. */
export async function bareMachine(): Promise<BareMachine> {
  const folder = await Deno.makeTempDir({ prefix: "nido-bare-" });
  const [bin, home] = [join(folder, "bin"), join(folder, "home")];
  await Promise.all([Deno.mkdir(bin), Deno.mkdir(home)]);
  const machine: BareMachine = {
    home,
    folder,
    async lend(...programs) {
      for (const program of programs) await Deno.symlink(await pathOf(program), join(bin, program));
    },
    async addProgram(name, script) {
      await Deno.remove(join(bin, name)).catch(() => {}); // a lent one is a link
      await Deno.writeTextFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    },
    async run(parts, text, env = {}) {
      const setup = parts.map((part) => `. '${fromFileUrl(`../../scripts/setup/${part}.sh`)}'\n`);
      const { code, stdout, stderr } = await new Deno.Command(join(bin, "sh"), {
        args: ["-euc", setup.join("") + text],
        clearEnv: true,
        env: { PATH: bin, HOME: home, TMPDIR: folder, ...env },
      }).output();
      const decoder = new TextDecoder();
      return [code, decoder.decode(stdout) + decoder.decode(stderr)];
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
  await machine.lend(...ORDINARY.split(" "));
  await machine.addProgram("id", "echo 1000");
  return machine;
}

async function pathOf(program: string): Promise<string> {
  for (const folder of ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"]) {
    const path = join(folder, program);
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  throw new Error(`this host has no ${program}`);
}
