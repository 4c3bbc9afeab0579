import assert from "node:assert/strict";
import { join } from "node:path";
import { makeContext } from "../../../lib/context.ts";
import { NidoError } from "../../../lib/errors.ts";
import { connect } from "../../../lib/guest/ssh.ts";
import readOperation, { readFileIn } from "../../../lib/vm/read_file.ts";
import writeOperation, { writeFileIn } from "../../../lib/vm/write_file.ts";
import { startSshd } from "../../helpers/sshd.ts";

async function failing(run: Promise<unknown>) {
  const error = await run.then(() => assert.fail("it succeeded"), (thrown) => thrown);
  assert(error instanceof NidoError, `not a NidoError: ${error}`);
  return { code: error.code, message: error.message, hint: error.hint };
}

async function modeOf(path: string): Promise<string> {
  return ((await Deno.stat(path)).mode! & 0o7777).toString(8);
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

/** Becomes the user as sudo would, where this machine's user may do that. */
const SUDO = `#!/bin/sh
[ "$4" = daemon ] && { echo 'sudo: a password is required' >&2; exit 1; }
id=$(id -u "$4"); shift 5
HOME=/usr exec setpriv --reuid "$id" --clear-groups "$@"
`;

Deno.test("files in a guest", async (t) => {
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "nido-files-" }));
  await Deno.chmod(home, 0o755);
  const bin = join(home, "bin");
  await Deno.mkdir(bin);
  await Deno.writeTextFile(join(bin, "sudo"), SUDO, { mode: 0o755 });
  await using sshd = await startSshd([`SetEnv SHLVL=5 HOME=${home} PATH=${bin}:/usr/bin:/bin`]);
  const context = makeContext("/nowhere");
  await using session = await connect(context, sshd.target, { timeoutMs: 20_000 });
  const at = (name: string) => join(home, name);
  type Read = Parameters<typeof readFileIn>[2];
  const read = (path: string, more: Partial<Read> = {}) =>
    readFileIn(context, session, {
      path,
      offset: 0,
      maxBytes: 32_768,
      encoding: "text",
      user: undefined,
      ...more,
    });
  type Write = Parameters<typeof writeFileIn>[2];
  const write = (path: string, content: string, more: Partial<Write> = {}) =>
    writeFileIn(context, session, {
      path,
      content,
      encoding: "text",
      mode: undefined,
      append: false,
      makeFolders: false,
      user: undefined,
      ...more,
    });

  await t.step("are written and read, with names of any kind", async () => {
    for (const name of ["a", "it's here", "-n", "$HOME", "*", "new\nline", "ünï 🐦", "a=b"]) {
      assert.deepEqual(await write(name, `<${name}>`), {
        path: name,
        isNew: true,
        writtenBytes: new TextEncoder().encode(`<${name}>`).length,
        sizeBytes: new TextEncoder().encode(`<${name}>`).length,
      });
      assert.equal(await Deno.readTextFile(at(name)), `<${name}>`);
      const { content, isExact, nextOffset } = await read(name);
      assert.deepEqual([content, isExact, nextOffset], [`<${name}>`, true, undefined]);
    }
    assert.equal((await read("~/a")).content, "<a>");
    assert.equal((await read(at("a"))).content, "<a>");
    assert.deepEqual((await namesIn(home)).filter((name) => name.startsWith(".nido")), []);
  });

  await t.step("0 bytes", async () => {
    assert.equal((await write("empty", "")).sizeBytes, 0);
    assert.deepEqual(await read("empty"), {
      path: "empty",
      content: "",
      encoding: "text",
      offset: 0,
      nextOffset: undefined,
      sizeBytes: 0,
      isExact: true,
    });
    await write("a", "");
    assert.equal((await Deno.stat(at("a"))).size, 0);
  });

  await t.step("binary goes both ways, byte for byte, in parts", async () => {
    const bytes = new Uint8Array(1_048_576).map((_, index) => (index * 7 + index / 256) % 256);
    await write("binary", bytes.toBase64(), { encoding: "base64", mode: "600" });
    assert.deepEqual(await Deno.readFile(at("binary")), bytes);
    assert.equal(await modeOf(at("binary")), "600");
    const parts: Uint8Array[] = [];
    for (let offset: number | undefined = 0; offset !== undefined;) {
      const part = await read("binary", { offset, maxBytes: 300_001, encoding: "base64" });
      assert.equal(part.sizeBytes, bytes.length);
      parts.push(Uint8Array.fromBase64(part.content));
      offset = part.nextOffset;
    }
    assert.equal(parts.length, 4);
    assert.deepEqual(await new Blob(parts as BlobPart[]).bytes(), bytes);
    assert.deepEqual(await failing(read("binary")), {
      code: "invalid_input",
      message: 'Cannot read binary in VM "dev" as text: it is binary',
      hint: "nido read-file dev binary --encoding base64",
    });
  });

  await t.step("text is never cut inside a character", async () => {
    const text = "aé🐦".repeat(50);
    await write("birds", text);
    for (const maxBytes of [16, 17, 18, 19]) {
      let whole = "";
      for (let offset: number | undefined = 0; offset !== undefined;) {
        const part = await read("birds", { offset, maxBytes });
        assert(part.isExact && !part.content.includes("\ufffd"));
        whole += part.content;
        offset = part.nextOffset;
      }
      assert.equal(whole, text);
    }
    const end = await read("birds", { offset: -6 });
    assert.deepEqual([end.content, end.offset, end.sizeBytes], ["é🐦", 344, 350]);
    const inside = await read("birds", { offset: -5 });
    assert.deepEqual([inside.content, inside.offset], ["🐦", 346]);
    const all = await read("birds", { offset: -1000 });
    assert.deepEqual([all.content, all.offset], [text, 0]);
    const beyond = await read("birds", { offset: 1000 });
    assert.deepEqual([beyond.content, beyond.nextOffset, beyond.sizeBytes], ["", undefined, 350]);
    await Deno.writeFile(at("latin"), new Uint8Array([0x61, 0xe9, 0x62]));
    const latin = await read("latin");
    assert.deepEqual([latin.content, latin.isExact], ["a\ufffdb", false]);
  });

  await t.step("files of the kernel, whose size is not told, and large ones", async () => {
    const { content } = await read("/proc/self/status");
    assert.match(content, /^Name:/);
    await using large = await Deno.open(at("large"), { write: true, create: true });
    await large.truncate(5_000_000_000);
    await large.seek(4_999_999_000, Deno.SeekMode.Start);
    await large.write(new TextEncoder().encode("here"));
    const part = await read("large", { offset: 4_999_999_000, maxBytes: 16, encoding: "base64" });
    assert.equal(atob(part.content).slice(0, 5), "here\0");
    assert.deepEqual([part.sizeBytes, part.nextOffset], [5_000_000_000, 4_999_999_016]);
  });

  await t.step("what can't be read says what it is", async () => {
    await Deno.mkdir(at("folder"));
    await Deno.symlink("nowhere", at("dangling"));
    const facts = async (path: string) => {
      const { code, message, hint } = await failing(read(path));
      return [code, message.replace(`Cannot read ${path} in VM "dev": `, ""), hint];
    };
    const list = "nido exec dev -- ls -la";
    assert.deepEqual(await facts("gone/x"), ["not_found", "it does not exist", `${list} gone`]);
    assert.deepEqual(await facts("folder"), ["invalid_input", "it is a folder", `${list} folder`]);
    assert.deepEqual(await facts("a/b"), [
      "invalid_input",
      "part of its path is a file",
      `${list} a/b`,
    ]);
    assert.deepEqual(await facts("dangling"), [
      "not_found",
      "it is a link to nothing",
      `${list} dangling`,
    ]);
    assert.deepEqual(await facts("/dev/zero"), [
      "invalid_input",
      "it is neither a file nor a folder",
      `${list} /dev/zero`,
    ]);
  });

  await t.step({
    name: "another user's rights count",
    ignore: Deno.uid() !== 0,
    fn: async () => {
      await Deno.writeTextFile(at("secret"), "x", { mode: 0o600 });
      await Deno.mkdir(at("closed"), { mode: 0o700 });
      const user = "nobody";
      assert.deepEqual(await failing(read(at("secret"), { user })), {
        code: "denied",
        message: `Cannot read ${at("secret")} in VM "dev": user nobody may not read it`,
        hint: `nido read-file dev ${at("secret")} --user root`,
      });
      assert.deepEqual(await failing(read(at("closed/x"), { user })), {
        code: "denied",
        message: `Cannot read ${
          at("closed/x")
        } in VM "dev": user nobody may not enter a folder of its path`,
        hint: `nido read-file dev ${at("closed/x")} --user root`,
      });
      assert.deepEqual(await failing(write(at("new"), "x", { user })), {
        code: "denied",
        message: `Cannot write ${at("new")} in VM "dev": user nobody may not write in its folder`,
        hint: `nido write-file dev ${at("new")} --user root`,
      });
      assert.equal((await failing(write(at("secret"), "y", { user }))).code, "denied");
      assert.equal(await Deno.readTextFile(at("secret")), "x");
      assert.deepEqual(await failing(read("x", { user: "daemon" })), {
        code: "denied",
        message: 'Cannot read x in VM "dev" as daemon: sudo refused: sudo: a password is required',
        hint: "nido info dev",
      });
    },
  });

  await t.step("an old file keeps its mode and owner; a link is written through", async () => {
    await Deno.writeTextFile(at("script"), "old", { mode: 0o750 });
    if (Deno.uid() === 0) await Deno.chown(at("script"), 65534, 65534);
    await Deno.symlink("script", at("link"));
    assert.equal((await write("link", "new")).isNew, false);
    assert.equal(await Deno.readTextFile(at("script")), "new");
    assert.equal(await modeOf(at("script")), "750");
    if (Deno.uid() === 0) assert.equal((await Deno.stat(at("script"))).uid, 65534);
    assert((await Deno.lstat(at("link"))).isSymlink);
    await write("script", "new", { mode: "0700" });
    assert.equal(await modeOf(at("script")), "700");
    await write("plain", "");
    assert.equal(await modeOf(at("plain")), "644");
  });

  await t.step("append, and folders on the way", async () => {
    assert.equal((await write("log", "one\n", { append: true })).isNew, true);
    const { ino } = await Deno.stat(at("log"));
    const added = await write("log", "two\n", { append: true });
    assert.deepEqual([added.isNew, added.writtenBytes, added.sizeBytes], [false, 4, 8]);
    assert.equal((await Deno.stat(at("log"))).ino, ino);
    assert.equal(await Deno.readTextFile(at("log")), "one\ntwo\n");
    assert.deepEqual(await failing(write("x/y/z", "1")), {
      code: "not_found",
      message: 'Cannot write x/y/z in VM "dev": its folder does not exist',
      hint: "nido write-file dev x/y/z --make-folders",
    });
    await write("x/y/z", "1", { makeFolders: true });
    assert.equal(await Deno.readTextFile(at("x/y/z")), "1");
    assert.equal(await modeOf(at("x/y")), "755");
    assert.equal((await failing(write("a/b/c", "1", { makeFolders: true }))).code, "invalid_input");
    assert.equal((await failing(write("folder", "1"))).message.split(": ")[1], "it is a folder");
    assert.equal((await failing(write("made/", "1"))).message.split(": ")[1], "it is a folder");
  });

  await t.step("a cut leaves the old file, and nothing besides", async () => {
    await write("kept", "old");
    const names = await namesIn(home);
    const controller = new AbortController();
    await using other = await connect(makeContext("/nowhere"), sshd.target, { timeoutMs: 20_000 });
    const endless = {
      ...other,
      exec: (command: string[], options = {}) =>
        other.exec(command, {
          ...options,
          stdin: new ReadableStream({
            async pull(stream) {
              stream.enqueue(new Uint8Array(1000));
              await new Promise((resolve) => setTimeout(resolve, 20));
              setTimeout(() => controller.abort(), 300);
            },
          }),
        }),
    };
    const writing = writeFileIn(
      makeContext("/nowhere", { signal: controller.signal }),
      endless as typeof other,
      {
        path: "kept",
        content: "new",
        encoding: "text",
        append: false,
        makeFolders: false,
      } as Write,
    );
    assert.deepEqual(await failing(writing), {
      code: "cancelled",
      message: 'Cannot write kept in VM "dev": it was interrupted',
      hint: undefined,
    });
    assert.equal(await Deno.readTextFile(at("kept")), "old");
    assert.deepEqual(await namesIn(home), names);
    const short = {
      ...session,
      exec: (command: string[], options = {}) =>
        session.exec(command, { ...options, stdin: new Blob(["ne"]).stream() }),
    };
    const cut = writeFileIn(context, short as typeof session, {
      path: "kept",
      content: "new",
      encoding: "text",
      append: true,
      makeFolders: false,
    } as Write);
    assert.equal(
      (await failing(cut)).message,
      'Cannot write kept in VM "dev": not all of it arrived; nothing was changed',
    );
    assert.equal(await Deno.readTextFile(at("kept")), "old");
  });

  await t.step("what is too much, or no base64, is refused before anything is done", async () => {
    assert.deepEqual(await failing(write("big", "x".repeat(1_048_577))), {
      code: "invalid_input",
      message: "Cannot write big: one call writes 1 MiB at most",
      hint: "nido write-file --append, or nido upload",
    });
    const message = "Cannot write big: its content is not base64";
    assert.equal((await failing(write("big", "?", { encoding: "base64" }))).message, message);
    await assert.rejects(Deno.stat(at("big")), Deno.errors.NotFound);
    for (const operation of [readOperation, writeOperation]) {
      const call = operation.call(context, { name: "../x", path: "a", content: "" });
      assert.equal((await failing(call)).code, "invalid_input");
    }
  });
  await Deno.remove(home, { recursive: true });
});
