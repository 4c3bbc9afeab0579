import assert from "node:assert/strict";
import { join } from "node:path";
import { bundle } from "../../../scripts/build/bundle.ts";
import { thisPlatform } from "../../../lib/host/platform.ts";
import { binaryName } from "../../../lib/system/installed/release.ts";
import { thisNido } from "../../../lib/this_nido.ts";
import { type ImageServer, serveImages } from "../../helpers/image_server.ts";
import { fromFileUrl } from "../../helpers/paths.ts";
import { releaseFiles } from "../../helpers/release.ts";
import { denoDir } from "../mcp/third_party.ts";

const INSTALLER = fromFileUrl("../../scripts/install.sh");
const NOW = thisNido.version;
const NEXT = "99.0.0";
const on = thisPlatform();

/** A release server, and a user who has shells and files of their own. */
interface Scene {
  server: ImageServer;
  home: string;
  run(program: string, args: string[], env?: Record<string, string>): Promise<[number, string]>;
  install(args?: string[], env?: Record<string, string>): Promise<[number, string]>;
  /** Every file of the user with its text. */
  files(): Promise<Record<string, string>>;
}

/** The whole tool in one file, which takes itself for the program that started it. */
async function programOf(folder: string, version: string): Promise<string> {
  const script = join(folder, `nido-${version}.js`);
  const text = await Deno.readTextFile(join(folder, "nido.js"));
  await Deno.writeTextFile(script, text.replace(`version: "${NOW}"`, `version: "${version}"`));
  const preload = fromFileUrl("./as_binary.ts");
  const words = [Deno.execPath(), "run", "-A", "--no-prompt", "--no-config", "--preload", preload];
  return `#!/bin/sh\nAS_BINARY="$0" exec ${[...words, script].join(" ")} "$@"\n`;
}

async function scene(folder: string, use: (scene: Scene) => Promise<void>): Promise<void> {
  const home = await Deno.makeTempDir({ dir: folder, prefix: "user " });
  const own = { ".bashrc": "alias ll=ls", ".zshrc": "autoload -U compinit; compinit -u -D\n" };
  for (const [name, text] of Object.entries(own)) await Deno.writeTextFile(join(home, name), text);
  await Deno.mkdir(join(home, ".config/fish"), { recursive: true });
  await using server = serveImages({
    ...await releaseFiles(NEXT, { on, binary: await programOf(folder, NEXT), isLatest: false }),
    ...await releaseFiles(NOW, { on, binary: await programOf(folder, NOW) }),
  });
  const from = server.url("").slice(0, -1);
  const env = {
    HOME: home,
    SHELL: "/bin/bash",
    PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    DENO_DIR: await denoDir(),
    TMPDIR: folder,
    NO_COLOR: "1",
    NIDO_RELEASES: from,
  };
  const run = async (program: string, args: string[], more = {}): Promise<[number, string]> => {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args,
      clearEnv: true,
      cwd: home,
      env: { ...env, ...more },
      stdin: "null",
    }).output();
    return [code, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)];
  };
  const files = async (below = ""): Promise<Record<string, string>> => {
    const found: Record<string, string> = {};
    for await (const { name, isDirectory } of Deno.readDir(join(home, below))) {
      const path = join(below, name);
      if (/^(\.local\/share\/fish|\.config\/fish\/fish_variables)/.test(path)) continue; // fish's own
      if (isDirectory) Object.assign(found, await files(path));
      else found[path] = await Deno.readTextFile(join(home, path));
    }
    return found;
  };
  await use({
    server,
    home,
    run,
    files: () => files(),
    install: (args = [], more = {}) => run("sh", [INSTALLER, ...args], more),
  });
}

Deno.test("installing, updating and leaving, against a release server", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "nido-install-" });
  await bundle(join(folder, "nido.js"));
  const bin = ".local/bin/nido";
  const step = (name: string, act: (scene: Scene) => Promise<void>) =>
    t.step(name, () => scene(folder, act));

  await step("every shell finds what was installed, and leaving leaves nothing", async (scene) => {
    const { home, run, install, files } = scene;
    const before = await files();
    const nido = (...args: string[]) => run(join(home, bin), args);
    const [code, said] = await install();
    assert.equal(code, 0, said);
    assert.match(said, new RegExp(`^Downloading ${binaryName(NOW, on)}\nNido ${NOW} is in `));
    assert.match(said, /\nok +home +The home is .*\.nido\n/, "it ends with nido doctor");
    assert.deepEqual(await nido("--version"), [0, `nido ${NOW}\n`]);
    for (const shell of ["bash", "zsh", "fish"]) {
      const [, found] = await run(shell, ["-ic", "command -v nido"]);
      assert.ok(found.includes(`${home}/${bin}\n`), `${shell}: ${found}`);
    }
    const [, offered] = await run("zsh", ["-ic", "echo $_comps[nido]"]);
    assert.match(offered, /^_nido$/m);

    await install();
    const count = (text = "") => text.split("# >>> nido >>>").length - 1;
    const now = await files();
    for (const name of [".bashrc", ".profile", ".zshrc", ".config/fish/conf.d/nido.fish"]) {
      assert.equal(count(now[name]), 1, name);
    }
    const [, list] = await nido("uninstall", "--dry-run", "--json");
    assert.equal(JSON.parse(list).data.removed.length, 8);
    const [status, gone] = await nido("uninstall", "--purge");
    assert.equal(status, 0, gone);
    assert.deepEqual(await files(), { ...before, ".bashrc": "alias ll=ls\n" });
  });

  await step("an update, back again, and what the server lacks", async (scene) => {
    const { home, server, run, install, files } = scene;
    await install(["--no-modify-path"]);
    assert.equal((await files())[".bashrc"], "alias ll=ls");
    const from = server.url("").slice(0, -1);
    const nido = (...args: string[]) => run(join(home, bin), args);
    const [, same] = await nido("update", "-q", "--from", from);
    assert.match(same, new RegExp(`Nido ${NOW} is the newest\n$`));
    Object.assign(server.files, {
      "latest/download/SHA256SUMS": server.files[`download/v${NEXT}/SHA256SUMS`]!,
    });
    const [, check] = await nido("update", "-q", "--check", "--from", from);
    assert.match(check, new RegExp(`Nido ${NEXT} is there, ${NOW} is installed: nido update\n$`));
    const [code, told] = await nido("update", "-q", "--from", from);
    assert.equal(code, 0, told);
    assert.deepEqual(await nido("--version"), [0, `nido ${NEXT}\n`]);
    assert.equal((await nido("update", "--rollback"))[0], 0);
    assert.deepEqual(await nido("--version"), [0, `nido ${NOW}\n`]);
    assert.equal((await nido("update", "--version", "3.2.1", "--from", from))[0], 3);
    assert.deepEqual(await nido("--version"), [0, `nido ${NOW}\n`]);
  });

  await step("what is not as published installs nothing", async ({ server, install, files }) => {
    const before = await files();
    const path = `download/v${NOW}/${binaryName(NOW, on)}`;
    const binary = server.files[path]!;
    const from = server.url("").slice(0, -1);
    const refused = async (told: RegExp, args: string[] = [], env = {}) => {
      const [code, said] = await install(args, env);
      assert.equal(code, 1, said);
      assert.match(said, told);
      assert.deepEqual(await files(), before);
    };
    binary.always = { flip: 20 };
    await refused(
      /error: Cannot install Nido \S+: nido-\S+ has the digest \w{64}, and \w{64} is published\n$/,
    );
    binary.always = { dropAfter: 20 };
    await refused(/error: Cannot download http:\S+\n$/);
    binary.always = { status: 404 };
    await refused(/error: Cannot download http:\S+\n$/);
    binary.always = undefined;
    await refused(/error: Cannot download \S+\/download\/v3\.2\.1\/SHA256SUMS\n$/, [
      "--version",
      "v3.2.1",
    ]);
    await refused(/^error: Cannot take Nido from http:\/\/example\.com: it is not https\n$/, [
      "--from",
      "http://example.com/",
    ]);
    await refused(/it names a user\n$/, ["--from", "http://localhost:1@example.com"]);
    await refused(/error: Cannot download http:\/\/127\.0\.0\.1:1\/latest/, [], {
      NIDO_RELEASES: "http://127.0.0.1:1",
    });
    await refused(/--dri is unknown/, ["--dri", "x"]);
    await refused(/--dir needs a value\n$/, ["--dir"]);
    await refused(/PATH can't hold such a name\n$/, ["--dir", "/tmp/a:b"]);
    server.files["latest/download/SHA256SUMS"] = { bytes: new TextEncoder().encode("<html>\n") };
    await refused(
      new RegExp(`^error: Cannot install Nido: ${from} sends a SHA256SUMS that is not`),
    );
  });

  await step("other systems and other folders", async ({ home, run, install, files }) => {
    const named = async (system: string, machine: string) => {
      const script = `#!/bin/sh\ncase $1 in -s) echo ${system} ;; *) echo ${machine} ;; esac\n`;
      await Deno.mkdir(join(home, "fake"), { recursive: true });
      await Deno.writeTextFile(join(home, "fake", "uname"), script, { mode: 0o755 });
      return await install([], { PATH: `${home}/fake:/usr/bin:/bin` });
    };
    const none = (said: string) => [1, `error: Cannot install Nido${said}\n`];
    assert.deepEqual(
      await named("Darwin", "arm64"),
      none(` ${NOW}: it has no binary for macos-aarch64`),
    );
    assert.deepEqual(await named("Linux", "riscv64"), none(": there is no binary for riscv64"));
    assert.deepEqual(await named("FreeBSD", "amd64"), none(": there is no binary for FreeBSD"));
    assert.deepEqual(
      await named("MINGW64_NT", "x"),
      none(" from here: on Windows, run install.ps1"),
    );

    // PATH has the folder already, so nobody's files are written to.
    const [code] = await install(["--dir", "tools"], { PATH: `${home}/tools:/usr/bin:/bin` });
    assert.equal(code, 0);
    assert.deepEqual(await run(join(home, "tools/nido"), ["--version"]), [0, `nido ${NOW}\n`]);
    assert.equal((await files())[".bashrc"], "alias ll=ls");
    assert.equal((await files())[".profile"], undefined);
  });

  await step(
    "an installer that breaks off on its way does nothing",
    async ({ home, run, files }) => {
      const before = await files();
      const text = await Deno.readTextFile(INSTALLER);
      for (const share of [0.3, 0.6, 0.9, 0.999]) {
        await Deno.writeTextFile(
          `${folder}/part.sh`,
          text.slice(0, Math.floor(text.length * share)),
        );
        await run("sh", [`${folder}/part.sh`]);
        assert.deepEqual(await files(), before, `${home}: ${share}`);
      }
    },
  );

  await Deno.remove(folder, { recursive: true });
});

Deno.test("the installer for Windows says what the other one says", async () => {
  const [ps1, sh] = await Promise.all(
    ["ps1", "sh"].map((ending) =>
      Deno.readTextFile(fromFileUrl(`../../scripts/install.${ending}`))
    ),
  );
  const shared = ["https://github.com/nido-vm/nido/releases", "# >>> nido >>>", "# <<< nido <<<"];
  for (const text of shared) assert.ok(ps1!.includes(text) && sh!.includes(text), text);
  assert.ok(
    ps1!.includes(binaryName("x", { os: "windows", arch: "x86_64" }).slice("nido-x-".length)),
  );
  for (const [open, close] of ["{}", "()", "[]"].map((pair) => pair.split(""))) {
    assert.equal(ps1!.split(open!).length, ps1!.split(close!).length, `${open}${close}`);
  }
});
