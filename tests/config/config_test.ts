import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { readConfig } from "../../lib/config/config.ts";
import { getSetting } from "../../lib/config/get.ts";
import { listSettings } from "../../lib/config/list.ts";
import { setSetting } from "../../lib/config/set.ts";
import { makeContext } from "../../lib/context.ts";
import { NidoError } from "../../lib/errors.ts";
import { nido, withHome } from "../helpers/command.ts";

function failsWith(code: string, message: string) {
  return (error: unknown) => {
    assert.ok(error instanceof NidoError);
    assert.deepEqual([error.code, error.message], [code, message]);
    return true;
  };
}

Deno.test("a setting is kept, read and taken back", async () => {
  await withHome(async (home) => {
    const context = makeContext(home);
    assert.deepEqual(await readConfig(context), {});
    assert.deepEqual(await getSetting(context, "memory"), { key: "memoryMib", value: null });
    await setSetting(context, "memory", "1G");
    await setSetting(context, "memoryMib", "2048");
    await setSetting(context, "network", "none");
    assert.deepEqual(await readConfig(context), { memoryMib: 2048, network: "none" });
    assert.deepEqual(await getSetting(context, "memoryMib"), { key: "memoryMib", value: 2048 });
    await setSetting(context, "network", null);
    assert.deepEqual(await readConfig(context), { memoryMib: 2048 });
    assert.deepEqual(
      (await listSettings(context)).map(({ key, value }) => [key, value]),
      [
        ["image", null],
        ["catalog", null],
        ["cpus", null],
        ["memoryMib", 2048],
        ["diskGib", null],
        ["user", null],
        [
          "network",
          null,
        ],
        ["accelerator", null],
        ["warm", null],
        ["warmDiskGib", null],
      ],
    );
  });
});

Deno.test("an unknown setting names the nearest", async () => {
  const context = makeContext("/nonexistent/nido");
  await assert.rejects(getSetting(context, "memry"), (error) => {
    assert.ok(error instanceof NidoError);
    assert.equal(error.hint, "nido config get memory");
    return failsWith("not_found", 'Unknown setting "memry"')(error);
  });
  await assert.rejects(
    setSetting(context, "toString", "1"),
    failsWith("not_found", 'Unknown setting "toString"'),
  );
});

Deno.test("a value that a VM could not have is refused and nothing is written", async () => {
  await withHome(async (home) => {
    const context = makeContext(home);
    const cases: [string, string, string][] = [
      [
        "memory",
        "lots",
        'Cannot set "memoryMib" to "lots": expected a size such as 512M or 2G (a bare number is MiB)',
      ],
      ["memory", "64M", 'Cannot set "memoryMib" to "64M": a VM needs at least 128 MiB'],
      ["cpus", "0", 'Cannot set "cpus" to "0": Too small: expected number to be >=1'],
      ["cpus", "two", 'Cannot set "cpus" to "two": Invalid input: expected number, received NaN'],
      ["user", "Root!", 'Cannot set "user" to "Root!": expected a Unix user name'],
      [
        "network",
        "open",
        'Cannot set "network" to "open": Invalid option: expected one of "full"|"none"',
      ],
    ];
    for (const [key, value, message] of cases) {
      await assert.rejects(setSetting(context, key, value), failsWith("invalid_input", message));
    }
    assert.deepEqual(await readConfig(context), {});
  });
});

Deno.test("a config.json of another version or with unknown keys is refused", async () => {
  await withHome(async (home) => {
    const path = join(home, "config.json");
    await Deno.writeTextFile(path, '{"schemaVersion":2}');
    await assert.rejects(
      readConfig(makeContext(home)),
      failsWith("integrity", `Cannot read ${path}: its schemaVersion is 2, this Nido knows 1`),
    );
    await Deno.writeTextFile(path, '{"schemaVersion":1,"colour":"blue"}');
    await assert.rejects(
      readConfig(makeContext(home)),
      failsWith("integrity", `Cannot read ${path}: it: Unrecognized key: "colour"`),
    );
  });
});

Deno.test("the command line sets, gets and unsets", async () => {
  await withHome(async (home) => {
    const say = async (...args: string[]) => {
      const { code, stdout, stderr } = await nido(args, { home });
      return [code, stdout + stderr];
    };
    assert.deepEqual(await say("config", "set", "memory", "1G"), [0, "memoryMib is now 1024\n"]);
    assert.deepEqual(await say("config", "get", "memory"), [0, "1024\n"]);
    assert.deepEqual(await say("config", "set", "memory", "--unset"), [
      0,
      "memoryMib is not set any more\n",
    ]);
    assert.deepEqual(await say("config", "get", "memory"), [0, ""]);
    assert.deepEqual(await say("config", "set", "memory"), [
      2,
      'error: Cannot set "memory": give either a value or --unset\n  try: nido config set memory --unset\n',
    ]);
  });
});

Deno.test("a catalog's path is the same file from wherever Nido is called later", async () => {
  await withHome(async (home) => {
    const context = makeContext(home);
    const value = resolve("images.json");
    assert.deepEqual(await setSetting(context, "catalog", "images.json"), {
      key: "catalog",
      value,
    });
    assert.deepEqual(await readConfig(context), { catalog: value });
    const address = "https://images.example/images.json";
    assert.equal((await setSetting(context, "catalog", address)).value, address);
  });
});
