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

/** A binary as install.ps1 puts it, and a stand-in for PowerShell that tells what it was asked. */
async function onWindows(
  home: string,
  powershell: string,
): Promise<
  { copy: Copy; dryRun(): ReturnType<typeof uninstall>; act(): ReturnType<typeof uninstall> }
> {
  const folder = join(home, "Programs", "nido");
  const bin = join(home, "bin");
  await Deno.mkdir(folder, { recursive: true });
  await Deno.mkdir(bin);
  const path = join(folder, "nido.exe");
  await Deno.writeTextFile(path, "");
  await Deno.writeTextFile(join(bin, "powershell"), `#!/bin/sh\n${powershell}\n`, { mode: 0o755 });
  const copy: Copy = {
    version: "0.1.0",
    kind: "binary",
    path,
    platform: { os: "windows", arch: "x86_64" },
  };
  const env = (name: string) => name === "PATH" ? `${bin}:/usr/bin:/bin` : undefined;
  const how = (dryRun: boolean) =>
    uninstall(makeContext(join(home, ".nido")), { dryRun }, { copy, env });
  return { copy, dryRun: () => how(true), act: () => how(false) };
}

const ignore = Deno.build.os === "windows"; // the stand-in is a shell script
const ASKED = `printf '%s\\n' "$NIDO_FOLDER" >>"$(dirname "$0")/folders"
printf '%s\\n' "$4" >"$(dirname "$0")/script"
case "$4" in *SetValue*) ;; *) echo named ;; esac`;

Deno.test("on Windows the folder leaves the user's PATH", { ignore }, async () => {
  await withHome(async (home) => {
    const { copy, dryRun, act } = await onWindows(home, ASKED);
    const folder = dirname(copy.path);
    const removed = [{ what: "path", path: folder }, { what: "binary", path: copy.path }];
    assert.deepEqual((await dryRun()).removed, removed);
    assert.doesNotMatch(await Deno.readTextFile(join(home, "bin", "script")), /SetValue/);
    const done = await act();
    assert.deepEqual([done.removed, done.byHand], [removed, undefined]);
    const script = await Deno.readTextFile(join(home, "bin", "script"));
    assert.match(script, /\$key\.SetValue\('Path', \(\$rest -join ';'\)/);
    assert.match(script, /TrimEnd\('\\'\) -ne \$env:NIDO_FOLDER\.TrimEnd\('\\'\)/);
    const asked = (await Deno.readTextFile(join(home, "bin", "folders"))).trim().split("\n");
    assert.deepEqual(asked, [folder, folder, folder]);
  });
});

Deno.test("on Windows a folder that holds something else stays in PATH", { ignore }, async () => {
  await withHome(async (home) => {
    const { copy, act } = await onWindows(home, ASKED);
    await Deno.writeTextFile(join(dirname(copy.path), "other.exe"), "");
    assert.deepEqual((await act()).removed, [{ what: "binary", path: copy.path }]);
  });
});

Deno.test(
  "where PowerShell may not, the rest is uninstalled and a command told",
  { ignore },
  async () => {
    await withHome(async (home) => {
      const { copy, act } = await onWindows(home, "echo blocked >&2; exit 1");
      const { removed, byHand } = await act();
      assert.deepEqual(removed, [{ what: "binary", path: copy.path }]);
      assert.equal(byHand, "rundll32 sysdm.cpl,EditEnvironmentVariables");
    });
  },
);
