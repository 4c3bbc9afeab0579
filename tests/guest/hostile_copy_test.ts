import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { makeContext } from "../../lib/context.ts";
import { NidoError } from "../../lib/errors.ts";
import { type CopyOptions, downloadFrom, uploadTo } from "../../lib/guest/copy.ts";
import { connect } from "../../lib/guest/ssh.ts";
import { type Shown, startHostileGuest } from "../helpers/hostile_guest.ts";

const context = makeContext("/nowhere");
const FILE = 0o100644;
const FOLDER = 0o040755;
const LINK = 0o120777;
const TOP: Shown[] = [{ name: "top", mode: FOLDER }];

type Listing = Parameters<typeof startHostileGuest>[0];

/** Copies `/top` of a hostile guest into `target`, inside a folder where nothing else may appear. */
async function steal(list: Listing, options: CopyOptions = {}, prepare?: (base: string) => void) {
  const outer = await Deno.makeTempDir({ prefix: "nido-copy-" });
  const base = join(outer, "target");
  await Deno.mkdir(base);
  await Deno.writeTextFile(join(outer, "precious"), "untouched");
  try {
    prepare?.(base);
    await using guest = await startHostileGuest(list);
    await using session = await connect(context, guest.target, { timeoutMs: 20_000 });
    let error: unknown;
    const copied = await downloadFrom(session, "/top", base, options).catch((thrown) => {
      error = thrown;
    });
    assert.equal(await Deno.readTextFile(join(outer, "precious")), "untouched");
    assert.deepEqual(names(outer), ["precious", "target"]);
    assert(!everyName(base).some((name) => name.endsWith(".part")), "a temporary file is left");
    return { copied, error, tree: everyName(join(base, "top")), read: reader(join(base, "top")) };
  } finally {
    await Deno.remove(outer, { recursive: true });
  }
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

function everyName(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
      isDirectory
        ? [name, ...everyName(join(folder, name)).map((inner) => `${name}/${inner}`)]
        : [name]
    ).sort();
  } catch {
    return [];
  }
}

function reader(base: string): Map<string, string> {
  return new Map(
    everyName(base).filter((name) => Deno.lstatSync(join(base, name)).isSymlink)
      .map((name) => [name, Deno.readLinkSync(join(base, name))]),
  );
}

/** Shows the files in `/top`, and nothing in any other folder. */
const inTop = (...files: Shown[]): Listing => (path) =>
  path === "/" ? TOP : path === "/top" ? files : [];

Deno.test("names that lead elsewhere are refused, whatever they stand for", async () => {
  let shown: Shown | undefined;
  const outer = await Deno.makeTempDir({ prefix: "nido-copy-" });
  await using guest = await startHostileGuest((path) => path === "/top" ? [shown!] : TOP);
  await using session = await connect(context, guest.target, { timeoutMs: 20_000 });
  for (const name of ["../../x", "..\\..\\x/", "/etc/passwd", "a/b", "nul\0byte", ""]) {
    for (const mode of [FILE, FOLDER, LINK]) {
      shown = { name, mode, content: "evil", target: "../.." };
      await assert.rejects(downloadFrom(session, "/top", join(outer, "target")), {
        code: "integrity",
        message: `Refused a file name from the guest: ${JSON.stringify(name)}`,
      });
    }
  }
  assert.deepEqual(everyName(outer), ["target", "target/top"]);
  await Deno.remove(outer, { recursive: true });
});

Deno.test("a name that comes twice is refused, as a link and then a folder too", async () => {
  const { error, tree } = await steal(inTop(
    { name: "a", mode: LINK, target: "../.." },
    { name: "a", mode: FOLDER },
  ));
  assert(error instanceof NidoError);
  assert.equal(error.code, "integrity");
  assert.equal(error.message, 'Refused a file name from the guest: "a"');
  assert.deepEqual(tree, []);
});

Deno.test("`.` and `..` in a listing are passed over", async () => {
  const { copied, tree } = await steal(inTop(
    { name: ".", mode: FOLDER },
    { name: "..", mode: FOLDER },
    { name: "a", mode: FILE, size: 2, content: "hi" },
  ));
  assert.equal(copied?.files, 1);
  assert.deepEqual(tree, ["a"]);
});

Deno.test("links are made only when they stay inside, and never through each other", async () => {
  const link = (name: string, target: string): Shown => ({ name, target, mode: LINK });
  const { copied, read } = await steal((path) => {
    if (path === "/") return TOP;
    if (path === "/top") {
      return [
        { name: "sub", mode: FOLDER },
        link("inside", "sub/file"),
        link("absolute", "/etc/passwd"),
        link("parent", "../precious"),
        link("sideways", "sub/../../precious"),
        link("hop", "sub/up/.."),
        link("nowhere", ""),
        link("windows", "..\\..\\x"),
        link("drive", "C:x"),
      ];
    }
    return path === "/top/sub" ? [link("up", ".."), link("higher", "../..")] : [];
  });
  assert.deepEqual(Object.fromEntries(read), { inside: "sub/file", "sub/up": ".." });
  assert.equal(copied?.links, 2);
  const out = (target: string) => `it leads out of the copied folder, to ${JSON.stringify(target)}`;
  const reasons = new Map(copied?.skipped.map(({ path, reason }) => [path, reason]));
  assert.deepEqual(Object.fromEntries([...reasons].sort()), {
    "/top/absolute": out("/etc/passwd"),
    "/top/drive": out("C:x"),
    "/top/hop": out("sub/up/.."),
    "/top/nowhere": "it leads nowhere",
    "/top/parent": out("../precious"),
    "/top/sideways": out("sub/../../precious"),
    "/top/sub/higher": out("../.."),
    "/top/windows": out("..\\..\\x"),
  });
});

Deno.test("links that stand in the target are not followed", async () => {
  const { copied, tree, error } = await steal(
    (path) => {
      if (path === "/") return TOP;
      if (path === "/top") {
        return [
          { name: "folder", mode: FOLDER },
          { name: "precious", mode: FILE, size: 4, content: "evil" },
        ];
      }
      return [{ name: "precious", mode: FILE, size: 4, content: "evil" }];
    },
    {},
    (base) => {
      Deno.mkdirSync(join(base, "top"));
      Deno.symlinkSync(dirname(base), join(base, "top/folder"));
      Deno.symlinkSync(join(dirname(base), "precious"), join(base, "top/precious"));
    },
  );
  assert.equal(error, undefined);
  assert.deepEqual(tree, ["folder", "precious"]);
  assert.deepEqual(copied?.skipped, [
    { path: "/top/folder", reason: "something that is no folder is in its place" },
  ]);
  assert.equal(copied?.files, 1);
});

Deno.test("a link in place of the whole copy is not followed", async () => {
  const { error } = await steal(
    inTop({ name: "precious", mode: FILE, size: 4, content: "evil" }),
    {},
    (base) => Deno.symlinkSync(dirname(base), join(base, "top")),
  );
  assert(error instanceof NidoError);
  assert.equal(error.code, "already_exists");
  assert.match(error.message, /^Cannot copy \/top from VM "dev": .*\/target\/top is not a folder$/);
});

Deno.test("devices, pipes, sockets and unknown things are left out; special bits are dropped", async () => {
  const outer = await Deno.makeTempDir({ prefix: "nido-copy-" });
  try {
    await using guest = await startHostileGuest(inTop(
      { name: "block", mode: 0o060666 },
      { name: "char", mode: 0o020666 },
      { name: "pipe", mode: 0o010666 },
      { name: "socket", mode: 0o140666 },
      { name: "what", mode: 0o644 },
      { name: "bad\uFFFDname", mode: FILE },
      { name: "root", mode: 0o106755, size: 2, content: "su" },
      { name: "sticky", mode: 0o043777 },
    ));
    await using session = await connect(context, guest.target, { timeoutMs: 20_000 });
    const copied = await downloadFrom(session, "/top", join(outer, "got"));
    assert.deepEqual(
      copied.skipped,
      [
        { path: "/top/bad\uFFFDname", reason: "its name is not UTF-8" },
        { path: "/top/block", reason: "it is a device" },
        { path: "/top/char", reason: "it is a device" },
        { path: "/top/pipe", reason: "it is a named pipe" },
        { path: "/top/socket", reason: "it is a socket" },
        { path: "/top/what", reason: "it is of an unknown kind" },
      ].sort((a, b) => a.path < b.path ? -1 : 1),
    );
    assert.deepEqual(names(join(outer, "got")), ["root", "sticky"]);
    const mode = (name: string) => Deno.statSync(join(outer, "got", name)).mode! & 0o7777;
    assert.equal(mode("root"), 0o755);
    assert.equal(mode("sticky"), 0o777);
  } finally {
    await Deno.remove(outer, { recursive: true });
  }
});

Deno.test("folders without an end are given up", async () => {
  const deep = await steal(() => TOP, { limits: { depth: 5 } });
  assert(deep.error instanceof NidoError);
  assert.deepEqual([deep.error.code, deep.error.message], [
    "integrity",
    "Cannot copy /top: its folders are nested more than 5 deep",
  ]);
  const wide = await steal((path) => path === "/" ? TOP : "endless", {
    limits: { entries: 1000 },
  });
  assert(wide.error instanceof NidoError);
  assert.deepEqual([wide.error.code, wide.error.message], [
    "integrity",
    "Cannot copy /top: it has more than 1000 entries",
  ]);
});

Deno.test("a file that lies about its size comes as it is; one without an end is given up", async () => {
  const honest = "x".repeat(300_000);
  const { copied } = await steal(inTop(
    { name: "longer", mode: FILE, size: 3, content: honest },
    { name: "shorter", mode: FILE, size: 2 ** 40, content: "tiny" },
    { name: "zero", mode: FILE, size: 0, content: "as in /proc" },
  ));
  assert.deepEqual([copied?.files, copied?.sizeBytes], [3, 300_000 + 4 + 11]);
  const endless = inTop({
    name: "endless",
    mode: FILE,
    size: 10,
    content: (_, length) => new Uint8Array(length),
  });
  const { error, tree } = await steal(endless, { limits: { beyondSizeBytes: 1_000_000 } });
  assert(error instanceof NidoError);
  assert.deepEqual([error.code, error.message], [
    "integrity",
    "Cannot copy /top/endless: it goes on far beyond the 10 bytes that the guest told",
  ]);
  assert.deepEqual(tree, []);
});

Deno.test("more bytes than were asked for do no harm", async () => {
  const { copied, error } = await steal(inTop({
    name: "pushy",
    mode: FILE,
    size: 131_072,
    content: (offset, length) => new Uint8Array(offset < 131_072 ? length + 1000 : 0),
  }));
  assert.equal(error, undefined);
  assert.equal(copied?.sizeBytes, 131_072);
});

Deno.test("a guest that hangs up or falls silent ends the copy", async () => {
  const cut = await steal((path) => path === "/" ? TOP : "hang up");
  assert(cut.error instanceof NidoError);
  assert.deepEqual([cut.error.code, cut.error.message], [
    "unavailable",
    'Cannot copy: VM "dev" ended the connection',
  ]);
  const signal = AbortSignal.timeout(150);
  const stuck = await steal((path) => path === "/" ? TOP : "silence", { signal });
  assert(stuck.error instanceof Error);
  assert.equal(stuck.error.name, "TimeoutError");
});

Deno.test("a guest without an SFTP server is told apart", async () => {
  await using guest = await startHostileGuest(() => [], { sftp: false });
  await using session = await connect(context, guest.target, { timeoutMs: 20_000 });
  const message = 'Cannot copy: VM "dev" has no SFTP server';
  await assert.rejects(downloadFrom(session, "/x", "/tmp"), { code: "unavailable", message });
  await assert.rejects(uploadTo(session, "/etc/hostname", "/x"), { code: "unavailable", message });
});
