import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { makeContext } from "../../lib/context.ts";
import type { Copy } from "../../lib/system/installed/copy.ts";
import { uninstall } from "../../lib/system/uninstall.ts";
import { prepareHome } from "../../lib/store/home.ts";
import { withHome } from "../helpers/command.ts";
import { installed, stub } from "../helpers/release.ts";

const BLOCK = '# >>> nido >>>\nexport PATH="x:$PATH"\n# <<< nido <<<\n';
const COMPLETION = "# bash completion for nido\n";

interface User {
  home: string;
  nidoHome: string;
  copy: Copy;
  write(path: string, text: string): Promise<void>;
  uninstall(input?: Record<string, boolean>, copy?: Copy): Promise<[string, string][]>;
  /** Every file of the user, by its path. */
  files(): Promise<string[]>;
}

/** A user who has installed Nido and has files of their own. */
async function withUser(use: (user: User) => Promise<void>): Promise<void> {
  await withHome(async (home) => {
    const nidoHome = join(home, ".nido");
    const context = makeContext(nidoHome);
    const copy = await installed(join(home, ".local", "bin"), "0.1.0");
    const write = async (path: string, text: string) => {
      await Deno.mkdir(dirname(join(home, path)), { recursive: true });
      await Deno.writeTextFile(join(home, path), text);
    };
    const files = async (folder = home): Promise<string[]> => {
      const entries = await Array.fromAsync(Deno.readDir(folder));
      const below = await Promise.all(
        entries.map(({ name, isDirectory }) =>
          isDirectory ? files(join(folder, name)) : [join(folder, name).slice(home.length + 1)]
        ),
      );
      return below.flat().sort();
    };
    await use({
      home,
      nidoHome,
      copy,
      write,
      files: () => files(),
      uninstall: async (input = {}, which = copy) => {
        const env = (name: string) => name === "HOME" ? home : undefined;
        const { removed } = await uninstall(context, input, { copy: which, env });
        return removed.map(({ what, path }) => [what, path.slice(home.length + 1)]);
      },
    });
  });
}

Deno.test("what the installer put there goes, and what is the user's own stays as it was", async () => {
  await withUser(async ({ home, nidoHome, write, files, uninstall }) => {
    await prepareHome(nidoHome);
    await write(".local/bin/nido.previous", stub("0.0.9"));
    await write(".local/bin/other", "mine");
    await write(".bashrc", `alias ll=ls\n${BLOCK}alias la=ls`);
    await Deno.chmod(join(home, ".bashrc"), 0o640);
    await write(".zshrc", "# >>> nido >>>\nmine, without an end\n");
    await write(".config/fish/conf.d/nido.fish", BLOCK);
    await write(".local/share/bash-completion/completions/nido", COMPLETION);
    await write(".local/share/zsh/site-functions/_nido", "#compdef nido\n# mine\n");
    const before = await files();
    const all = [
      ["completion", ".local/share/bash-completion/completions/nido"],
      ["path", ".bashrc"],
      ["path", ".config/fish/conf.d/nido.fish"],
      ["previous", ".local/bin/nido.previous"],
      ["binary", ".local/bin/nido"],
    ];
    assert.deepEqual(await uninstall({ dryRun: true }), all);
    assert.deepEqual(await files(), before);
    assert.deepEqual(await uninstall(), all);
    assert.deepEqual(await files(), [
      ".bashrc",
      ".local/bin/other",
      ".local/share/zsh/site-functions/_nido",
      ".nido/home.json",
      ".zshrc",
    ]);
    assert.equal(await Deno.readTextFile(join(home, ".bashrc")), "alias ll=ls\nalias la=ls");
    assert.equal((await Deno.stat(join(home, ".bashrc"))).mode! & 0o777, 0o640);
  });
});

Deno.test("a start-up file that is a link stays one", async () => {
  await withUser(async ({ home, write, uninstall }) => {
    await write("dotfiles/bashrc", `mine\n${BLOCK}`);
    await Deno.symlink(join(home, "dotfiles", "bashrc"), join(home, ".bashrc"));
    await uninstall();
    assert.ok((await Deno.lstat(join(home, ".bashrc"))).isSymlink);
    assert.equal(await Deno.readTextFile(join(home, "dotfiles", "bashrc")), "mine\n");
  });
});

Deno.test("--purge takes the home, but not what somebody else put into it", async () => {
  await withUser(async ({ home, nidoHome, write, files, uninstall }) => {
    await prepareHome(nidoHome);
    await write(".nido/config.json", "{}");
    await write(".nido/keys/id_ed25519", "secret");
    assert.deepEqual(await uninstall({ purge: true }), [["home", ".nido"], [
      "binary",
      ".local/bin/nido",
    ]]);
    assert.deepEqual(await files(), []);
    await assert.rejects(Deno.stat(nidoHome), Deno.errors.NotFound);

    await prepareHome(nidoHome);
    await write(".nido/thesis.txt", "mine");
    await uninstall({ purge: true });
    assert.deepEqual(await files(), [".nido/thesis.txt"]);
    assert.ok(home);
  });
});

Deno.test("a copy that the installer did not bring stays", async () => {
  await withUser(async ({ copy, write, files, uninstall }) => {
    await write(".profile", BLOCK);
    const other: Copy = { ...copy, kind: "source" };
    assert.deepEqual(await uninstall({}, other), [["path", ".profile"]]);
    assert.deepEqual(await files(), [".local/bin/nido"]);
  });
});
