import assert from "node:assert/strict";
import { join } from "node:path";
import { makeContext } from "../../lib/context.ts";
import { binaryAt, replaceBinary, versionOf } from "../../lib/system/installed/binary.ts";
import { type Copy, updatedOtherwise } from "../../lib/system/installed/copy.ts";
import { binaryName } from "../../lib/system/installed/release.ts";
import { retireLock, tryLockFile } from "../../lib/store/lock.ts";
import { update } from "../../lib/system/update.ts";
import { type ImageServer, serveImages } from "../helpers/image_server.ts";
import { refuses } from "../helpers/nest.ts";
import { installed, releaseFiles, stub, system } from "../helpers/release.ts";

const OLD = "0.1.0";
const NEW = "0.2.0";
const SUMS = "latest/download/SHA256SUMS";

interface Scene {
  server: ImageServer;
  copy: Copy;
  /** The folder of the binary. */
  bin: string;
  from: string;
  run(input?: Record<string, unknown>, copy?: Copy): ReturnType<typeof update>;
  /** What is in the binary's folder, with the version that each says it is. */
  there(): Promise<Record<string, string | undefined>>;
}

/** An installed 0.1.0, and a server that has 0.2.0. */
async function scene(use: (scene: Scene) => Promise<void>, version = OLD): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "nido-update-" });
  await using server = serveImages(await releaseFiles(NEW));
  const bin = join(folder, "bin");
  const copy = await installed(bin, version);
  const from = server.url("").slice(0, -1);
  const context = makeContext(join(folder, "home"));
  try {
    await use({
      server,
      copy,
      bin,
      from,
      run: (input = {}, which = copy) => update(context, { from, ...input }, which),
      there: async () => {
        const names = await Array.fromAsync(Deno.readDir(bin), ({ name }) => name);
        const versions = names.sort().map(async (name) =>
          [name, await versionOf(join(bin, name))] as const
        );
        return Object.fromEntries(await Promise.all(versions));
      },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("an update takes the binary's place, and rollback goes back and forth", async () => {
  await scene(async ({ copy, run, there }) => {
    assert.deepEqual(await run(), {
      installed: NEW,
      available: NEW,
      updated: true,
      isNewer: false,
      kept: OLD,
    });
    assert.deepEqual(await there(), { nido: NEW, "nido.previous": OLD });
    assert.equal((await Deno.stat(copy.path)).mode! & 0o777, 0o755);
    const now = { ...copy, version: NEW };
    assert.equal((await run({}, now)).updated, false);
    assert.deepEqual(await run({ rollback: true }, now), {
      installed: OLD,
      updated: true,
      isNewer: false,
      kept: NEW,
    });
    assert.deepEqual(await there(), { nido: OLD, "nido.previous": NEW });
    await run({ rollback: true });
    assert.deepEqual(await there(), { nido: NEW, "nido.previous": OLD });
  });
});

Deno.test("--check changes nothing, and a newer one is only ever a newer one", async () => {
  const told: [string, boolean][] = [
    ["0.1.0", true],
    ["0.2.0-rc.1", true],
    ["0.2.0", false],
    ["0.2.1-rc.1", false],
    ["0.10.0", false],
  ];
  for (const [version, isNewer] of told) {
    await scene(async ({ run, there }) => {
      const expected = { installed: version, available: NEW, isNewer, updated: false };
      assert.deepEqual(await run({ check: true }), { ...expected, command: undefined });
      assert.deepEqual(await there(), { nido: version });
      assert.equal((await run()).updated, isNewer, version);
    }, version);
  }
});

Deno.test("a version is changed to by name, older ones and prereleases too", async () => {
  for (const version of ["0.0.9", "0.3.0-rc.1"]) {
    await scene(async ({ server, run, there }) => {
      Object.assign(server.files, await releaseFiles(version, { isLatest: false }));
      assert.equal((await run({ version: `v${version}` })).installed, version);
      assert.deepEqual(await there(), { nido: version, "nido.previous": OLD });
    });
  }
});

Deno.test("what can't be had changes nothing", async () => {
  await scene(async ({ server, from, run, there }) => {
    const name = binaryName(NEW, system);
    const binary = server.files[`download/v${NEW}/${name}`]!;
    const refused = (code: Parameters<typeof refuses>[1], message: string, input = {}) =>
      refuses(run(input), code, message);

    await refused(
      "not_found",
      `Cannot fetch ${from}/download/v9.9.9/SHA256SUMS: the server answered 404`,
      {
        version: "9.9.9",
      },
    );
    server.files[SUMS]!.faults = [{ status: 503 }];
    await refused("unavailable", `Cannot fetch ${from}/${SUMS}: the server answered 503`);
    server.files[SUMS]!.faults = [{ more: 70_000 }];
    await refused("integrity", `Cannot read ${from}/${SUMS}: it is larger than 64 KiB`);
    const right = server.files[SUMS]!;
    server.files[SUMS] = { bytes: new TextEncoder().encode("<html>sign in</html>") };
    await refused("integrity", `Cannot read ${from}/${SUMS}: it is not of a release of Nido`);
    server.files[SUMS] = { bytes: right.bytes };
    server.files["download/v0.3.0/SHA256SUMS"] = right;
    await refused(
      "integrity",
      `Cannot read ${from}/download/v0.3.0/SHA256SUMS: it is not of Nido 0.3.0`,
      { version: "0.3.0" },
    );

    const address = `${from}/download/v${NEW}/${name}`;
    binary.always = { flip: 3 };
    const wrong = await run().then(() => undefined, (error) => error);
    assert.equal(wrong.code, "integrity");
    assert.match(
      wrong.message,
      /^Cannot download Nido 0\.2\.0: http:.*: what it sends has the digest sha256:\w{64}, and the published one is sha256:\w{64}$/,
    );
    binary.always = { status: 404 };
    await refused(
      "not_found",
      `Cannot download Nido ${NEW}: ${address}: it answers with HTTP status 404`,
    );
    assert.deepEqual(await there(), { nido: OLD });
  });
});

Deno.test("a download that breaks off is resumed", async () => {
  await scene(async ({ server, run, there }) => {
    const path = `download/v${NEW}/${binaryName(NEW, system)}`;
    server.files[path]!.faults = [{ dropAfter: 9 }];
    assert.equal((await run()).updated, true);
    const ranges = server.seen.filter((seen) => seen.path === path).map(({ range }) => range);
    assert.deepEqual(ranges, [undefined, "bytes=9-"]);
    assert.deepEqual(await there(), { nido: NEW, "nido.previous": OLD });
  });
});

Deno.test("a server that is down is told, with what to type", async () => {
  await scene(async ({ run, there }) => {
    const gone = serveImages({});
    await gone[Symbol.asyncDispose]();
    const from = gone.url("releases/");
    const error = await run({ from }).then(() => undefined, (thrown) => thrown);
    assert.equal(error.code, "unavailable");
    assert.ok(error.message.startsWith(`Cannot fetch ${from}${SUMS}: `), error.message);
    assert.equal(error.hint, "nido update --check");
    assert.deepEqual(await there(), { nido: OLD });
  });
});

Deno.test("only https and this machine itself are believed", async () => {
  await scene(async ({ run }) => {
    for (const from of ["http://example.com/releases", "ftp://127.0.0.1/x"]) {
      await refuses(run({ from }), "denied", `Cannot take Nido from ${from}: it is not https`);
    }
  });
});

Deno.test("a binary that doesn't start here, or is another version, is not installed", async () => {
  for (
    const [binary, fact] of [["nonsense", "it does not start here"], [stub("7.7.7"), "it is 7.7.7"]]
  ) {
    await scene(async ({ server, run, there }) => {
      Object.assign(server.files, await releaseFiles(NEW, { binary }));
      await refuses(run(), "integrity", `Cannot install Nido ${NEW}: ${fact}`);
      assert.deepEqual(await there(), { nido: OLD });
    });
  }
});

Deno.test("a system that a release has nothing for is told so", async () => {
  await scene(async ({ server, run }) => {
    const on = { os: "darwin", arch: "aarch64" } as const;
    server.files[SUMS] = (await releaseFiles(NEW, { on }))[SUMS]!;
    const message = `Cannot install Nido ${NEW}: it has no binary for linux on x86_64`;
    await refuses(run(), "not_found", message);
  });
});

Deno.test("options that contradict each other are refused", async () => {
  await scene(async ({ run }) => {
    const refused = (input: Record<string, unknown>, fact: string) =>
      refuses(run(input), "invalid_input", `Cannot run system.update: ${fact}`);
    await refused({ rollback: true, check: true }, "rollback: it goes with no other option");
    await refused({ rollback: true, version: NEW }, "rollback: it goes with no other option");
    for (const version of ["latest", "1.2", "../1.2.3", "1.2.3/..", ""]) {
      await refused({ version }, "version: use a semantic version like 1.2.3 or 1.2.3-rc.1");
    }
  });
});

Deno.test("without a binary from before there is nothing to go back to", async () => {
  await scene(async ({ bin, run }) => {
    const message = `Cannot roll back: there is no ${bin}/nido.previous that runs`;
    await refuses(run({ rollback: true }), "not_found", message);
  });
});

Deno.test("a copy that was not installed as a binary says how it is updated", async () => {
  await scene(async ({ copy, run }) => {
    const copies: [Partial<Copy>, string, string][] = [
      [
        { kind: "source", path: "/src/nido" },
        "it runs from its sources in /src/nido",
        "git -C /src/nido pull",
      ],
      [
        { kind: "package" },
        "it is a package that Deno fetches",
        "deno run --reload -A jsr:@nido/cli version",
      ],
      [
        { kind: "bundle", path: "/x/nido.js" },
        "it is the one file /x/nido.js",
        "download it anew from https://github.com/nido-vm/nido/releases",
      ],
      [
        { path: "/opt/homebrew/Cellar/nido/0.1.0/bin/nido" },
        "a package manager brought /opt/homebrew/Cellar/nido/0.1.0/bin/nido",
        "brew upgrade nido",
      ],
      [
        { path: "/usr/bin/nido" },
        "a package manager brought /usr/bin/nido",
        "update nido with the system's package manager",
      ],
    ];
    for (const [parts, fact, command] of copies) {
      const other = { ...copy, ...parts };
      const message = `Cannot update this copy of Nido: ${fact}`;
      assert.equal((await refuses(run({}, other), "wrong_state", message)).hint, command);
      assert.equal((await run({ check: true }, other)).command, command);
    }
    assert.equal(updatedOtherwise({ ...copy, path: "/home/me/.local/bin/nido" }), undefined);
  });
});

Deno.test("two updates at once don't meet", async () => {
  await scene(async ({ bin, copy, run, there }) => {
    const other = await tryLockFile(join(bin, ".nido.update.lock"), "update Nido");
    await refuses(run(), "busy", `Cannot update ${copy.path}: another command updates it`);
    await retireLock(other!);
    await run();
    assert.deepEqual(await there(), { nido: NEW, "nido.previous": OLD });
  });
});

Deno.test("on Windows the running binary is renamed before its place is taken", async () => {
  await scene(async ({ bin, copy }) => {
    const binary = binaryAt(copy.path, "windows");
    const source = join(bin, "..", "source");
    for (const [version, before] of [["0.2.0", OLD], ["0.3.0", "0.2.0"]] as const) {
      await Deno.writeTextFile(source, stub(version));
      await replaceBinary(binary, source, version);
      assert.equal(await versionOf(binary.path), version);
      assert.equal(await versionOf(binary.previous), before);
    }
    const names = await Array.fromAsync(Deno.readDir(bin), ({ name }) => name);
    assert.deepEqual(names.sort(), ["nido", "nido.previous.exe"]);
  });
});
