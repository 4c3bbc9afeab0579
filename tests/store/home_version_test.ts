import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { type Context, makeContext } from "../../lib/context.ts";
import { prepareHome } from "../../lib/store/home.ts";
import { openHome } from "../../lib/store/home_version.ts";
import type { Migration } from "../../lib/store/migrations.ts";
import { thisNido } from "../../lib/this_nido.ts";
import { listVms } from "../../lib/vm/vm.ts";
import { callOperation, makeService, makeSession } from "../../mcp/service.ts";
import records from "../fixtures/home_version_1.json" with { type: "json" };
import { nido, withHome } from "../helpers/command.ts";
import { refuses } from "../helpers/nest.ts";

/** Changes that a later Nido might need: a key gets another name, and one is added. */
const later: Migration[] = [
  {
    to: 2,
    records: {
      "vm.json": ({ memoryMib, ...rest }) => memoryMib ? { ...rest, ramMib: memoryMib } : rest,
    },
  },
  { to: 3, records: { "config.json": (record) => ({ ...record, isNew: true }) } },
];
const AT = new Date("2030-01-02T03:04:05.678Z");
const BACKUP = "backups/version-1-20300102T030405Z";

interface FirstHome {
  home: string;
  context: Context;
  read(path: string): Promise<Record<string, unknown>>;
}

/** Lends a home as the first release left it: records, a disk, and no home.json. */
async function firstHome(use: (home: FirstHome) => Promise<void>): Promise<void> {
  await withHome(async (folder) => {
    const home = await Deno.realPath(folder);
    const put = async (path: string, text: string) => {
      await Deno.mkdir(dirname(join(home, path)), { recursive: true });
      await Deno.writeTextFile(join(home, path), text);
    };
    for (const [path, record] of Object.entries(records)) await put(path, JSON.stringify(record));
    await put("vms/dev/disk.qcow2", "a disk");
    await put("vms/bad/vm.json", "{ this is no record");
    await use({
      home,
      context: makeContext(home, { now: () => AT }),
      read: async (path) => JSON.parse(await Deno.readTextFile(join(home, path))),
    });
  });
}

Deno.test("a home of the first release is used as it is, and told its version when it is written to", async () => {
  await firstHome(async ({ home, context, read }) => {
    await openHome(context);
    const vms = (await listVms(context)).map(({ name, state }) => [name, state]);
    assert.deepEqual(vms, [["bad", "broken"], ["dev", "stopped"]]);
    await prepareHome(home);
    assert.equal((await read("home.json")).version, 1);
    await assert.rejects(Deno.stat(join(home, "backups")), Deno.errors.NotFound);
  });
});

Deno.test("a newer Nido changes the records after a backup, and no disk", async () => {
  await firstHome(async ({ home, context, read }) => {
    const disk = await Deno.stat(join(home, "vms/dev/disk.qcow2"));
    await openHome(context, later);
    const vm = await read("vms/dev/vm.json");
    assert.deepEqual([vm.ramMib, vm.memoryMib], [128, undefined]);
    assert.equal((await read("config.json")).isNew, true);
    assert.deepEqual(await read("home.json"), {
      schemaVersion: 1,
      version: 3,
      nido: thisNido.version,
    });
    for (const [path, record] of Object.entries(records)) {
      assert.deepEqual(await read(`${BACKUP}/${path}`), record, path);
    }
    const broken = await Deno.readTextFile(join(home, "vms/bad/vm.json"));
    assert.equal(broken, "{ this is no record");
    const after = await Deno.stat(join(home, "vms/dev/disk.qcow2"));
    assert.deepEqual([after.ino, after.mtime], [disk.ino, disk.mtime]);
    const names = await Array.fromAsync(Deno.readDir(join(home, BACKUP, "vms/dev")), (e) => e.name);
    assert.deepEqual(names, ["vm.json"]);

    const inode = (await Deno.stat(join(home, "home.json"))).ino;
    await openHome(context, later);
    assert.equal((await Deno.stat(join(home, "home.json"))).ino, inode, "it was written again");
  });
});

Deno.test("a change that was interrupted is done again, from the one backup", async () => {
  await firstHome(async ({ home, context, read }) => {
    const interrupted: Migration = {
      to: 3,
      records: {
        "config.json": () => {
          throw new Error("killed here");
        },
      },
    };
    await assert.rejects(openHome(context, [later[0]!, interrupted]), /killed here/);
    assert.equal((await read("home.json")).version, 2);
    assert.equal((await read("vms/dev/vm.json")).ramMib, 128);
    const tomorrow = makeContext(home, { now: () => new Date("2030-01-03T00:00:00Z") });
    await openHome(tomorrow, later);
    assert.equal((await read("config.json")).isNew, true);
    assert.equal((await read("vms/dev/vm.json")).ramMib, 128);
    const backups = await Array.fromAsync(Deno.readDir(join(home, "backups")), ({ name }) => name);
    assert.deepEqual(backups.map((name) => `backups/${name}`), [BACKUP]);
    assert.equal((await read(`${BACKUP}/vms/dev/vm.json`)).memoryMib, 128);
  });
});

Deno.test("two who open an old home at once change it once", async () => {
  await firstHome(async ({ home, context, read }) => {
    await Promise.all([openHome(context, later), openHome(context, later)]);
    assert.equal((await read("home.json")).version, 3);
    const backups = await Array.fromAsync(Deno.readDir(join(home, "backups")));
    assert.equal(backups.length, 1);
  });
});

Deno.test("an older Nido refuses a newer home on every surface, but for what helps", async () => {
  await firstHome(async ({ home, context }) => {
    await openHome(context, later);
    const message =
      `Cannot use the home ${home}: Nido ${thisNido.version} brought it to version 3, and this one knows 1`;
    const error = await refuses(openHome(context), "wrong_state", message);
    assert.equal(error.hint, "nido update");
    await refuses(prepareHome(home), "wrong_state", message);
    const service = await makeService({ home, toolsets: ["all"] });
    await refuses(callOperation(service, makeSession(), "vm.list", {}), "wrong_state", message);

    const { code, stderr } = await nido(["list"], { home });
    const said = `error: ${message}\n  try: nido update\n`;
    assert.deepEqual([code, stderr], [5, said]);
    for (const words of [["ssh", "dev"], ["cp", "dev:a", "."], ["console", "dev"]]) {
      const { code, stderr } = await nido(words, { home });
      assert.deepEqual([code, stderr], [words[0] === "ssh" ? 125 : 5, said], words.join(" "));
    }
    assert.equal((await nido(["version"], { home })).code, 0);
    const doctor = await nido(["doctor"], { home });
    assert.equal(doctor.code, 1);
    assert.match(doctor.stdout, /blocked +home +Cannot use the home .* knows 1\n +nido update\n/);
  });
});

Deno.test("a fresh home has the newest version; looking at none makes none", async () => {
  await withHome(async (folder) => {
    const home = join(folder, "new");
    await openHome(makeContext(home), later);
    await assert.rejects(Deno.stat(home), Deno.errors.NotFound);
    await prepareHome(home);
    const record = JSON.parse(await Deno.readTextFile(join(home, "home.json")));
    assert.deepEqual(record, { schemaVersion: 1, version: 1, nido: thisNido.version });
  });
});
