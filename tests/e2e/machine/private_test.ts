import assert from "node:assert/strict";
import { join } from "node:path";
import { makeContext } from "../../../lib/context.ts";
import { run } from "../../../lib/host/process.ts";
import { files } from "../../../lib/store/files.ts";
import { runFolder, runRoot } from "../../../lib/store/run_folder.ts";
import { machinesOf, nest, refuses } from "../../helpers/nest.ts";

const mode = async (path: string) => ((await Deno.lstat(path)).mode ?? 0) & 0o777;

Deno.test("home and folders are 0700, sockets, keys and records 0600, whatever the umask", async () => {
  const old = Deno.umask(0);
  await using home = await nest();
  try {
    await home.spawn("x");
    await home.call("vm.logs", { name: "x" });
    const folders: string[] = [];
    const wrong: string[] = [];
    const walk = async (folder: string) => {
      folders.push(folder);
      if (await mode(folder) !== 0o700) wrong.push(`${folder} ${(await mode(folder)).toString(8)}`);
      for await (const entry of Deno.readDir(folder)) {
        const path = join(folder, entry.name);
        if (entry.isDirectory) await walk(path);
        else if ((await mode(path) & 0o077) !== 0) {
          wrong.push(`${path} ${(await mode(path)).toString(8)}`);
        }
      }
    };
    await walk(home.home);
    assert.deepEqual(wrong, []);
    const sockets = await runFolder(home.home, { name: "x" });
    assert.ok(folders.includes(sockets));
    for (const name of ["work", "query", "agent", "hatch", "vnc"]) {
      const info = await Deno.lstat(join(sockets, `${name}.sock`));
      assert.ok(info.isSocket);
      assert.equal(info.mode! & 0o777, 0o600, name);
    }
    assert.equal(await mode(files.privateKey(home.home)), 0o600);
  } finally {
    Deno.umask(old);
  }
});

Deno.test("a home with a long path has its sockets in a short folder, which goes with its last VM", async () => {
  await using outer = await nest();
  const long = join(outer.folder, "a".repeat(60), "b".repeat(60));
  await Deno.mkdir(join(outer.folder, "a".repeat(60)));
  await using home = await nest({ home: long });
  await home.spawn("x");
  const root = await runRoot(long);
  assert.match(root, /^\/tmp\/nido-[0-9a-f]{12}$/);
  assert.equal(await mode(root), 0o700);
  assert.equal(await mode(await runFolder(long, { name: "x" })), 0o700);
  assert.equal((await home.row("x"))?.state, "running");
  await home.call("vm.stop", { name: "x", force: true });
  await home.call("vm.start", { name: "x", wait: "running" });
  await home.call("vm.delete", { names: ["x"], force: true });
  await assert.rejects(Deno.lstat(root), Deno.errors.NotFound);
  await home.assertEmpty();
});

Deno.test("every home finds one place for its sockets, however long its path is", async () => {
  for (let length = 10; length < 110; length++) {
    const home = `/${"h".repeat(length)}`;
    const folder = await runFolder(home, { name: "some-name" });
    assert.equal(join(folder, ".."), await runRoot(home));
    assert.ok(join(folder, "console.sock").length <= 103, folder);
  }
});

const STRANGE = ["with space", "with,comma", "with=equals", "vögel-ñ-鳥", "quote'\"s"];

for (const name of STRANGE) {
  Deno.test(`a home called ${name} works in any locale`, async () => {
    await using outer = await nest();
    await using home = await nest({ home: join(outer.folder, name) });
    const env = { LC_ALL: "C", LANG: "C" };
    const said = await home.nido(["spawn", "x", "--wait", "running", "--json"], env);
    assert.equal(said.code, 0, said.stdout);
    assert.equal((await machinesOf(home.home)).size, 1);
    const list = JSON.parse((await home.nido(["list", "--json"], env)).stdout);
    assert.equal(list.data.vms[0].state, "running");
    const gone = await home.nido(["delete", "x", "--force", "--json"], env);
    assert.equal(gone.code, 0, gone.stdout);
    await home.assertEmpty();
  });
}

Deno.test("a home reached by a link is the same home", async () => {
  await using home = await nest();
  const link = join(home.folder, "link");
  await Deno.symlink(home.home, link);
  await home.spawn("x");
  const list = await import("../../../lib/vm/vm.ts").then(({ listVms }) => listVms);
  assert.equal((await list(makeContext(link)))[0]?.state, "running");
  const said = await home.nido(["delete", "x", "--force"], { NIDO_HOME: link });
  assert.equal(said.code, 0, said.stderr);
  await home.assertEmpty();
});

const TAKEN: Record<string, (path: string) => Promise<void>> = {
  "somebody else's": async (path) => {
    await Deno.mkdir(path, { mode: 0o700 });
    await Deno.chown(path, 65534, 65534);
  },
  "writable by its group": async (path) => {
    await Deno.mkdir(path);
    await Deno.chmod(path, 0o770);
  },
  "a link": async (path) => {
    await Deno.mkdir(`${path}-real`, { mode: 0o700 });
    await Deno.symlink(`${path}-real`, path);
  },
  "a file": async (path) => await Deno.writeTextFile(path, "", { mode: 0o600 }),
};

for (const [title, take] of Object.entries(TAKEN)) {
  Deno.test({
    name: `a folder for sockets that is ${title} is refused, and nothing is left`,
    ignore: title.startsWith("somebody") && Deno.uid() !== 0,
    fn: async () => {
      await using outer = await nest();
      const long = join(outer.folder, "c".repeat(80));
      await using home = await nest({ home: long });
      const root = await runRoot(long);
      await take(root);
      try {
        await refuses(
          home.spawn("x"),
          "denied",
          `Cannot keep sockets in ${root}: it is not a private folder of yours`,
        );
        assert.deepEqual(await home.list(), []);
        assert.equal((await machinesOf(home.home)).size, 0);
        assert.ok(await Deno.lstat(root), "it was taken away");
      } finally {
        await run("rm", ["-rf", root, `${root}-real`]);
      }
    },
  });
}
