import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { load } from "../../../lib/cli/run.ts";
import { makeContext } from "../../../lib/context.ts";
import { fieldKind, operation } from "../../../lib/operation.ts";
import { operations } from "../../../lib/operations.ts";
import { files } from "../../../lib/store/files.ts";
import { auditOf } from "../../../mcp/guards/audit.ts";
import { z } from "zod";
import { withHome } from "../../helpers/command.ts";
import { nest } from "../../helpers/nest.ts";
import { connect } from "../../mcp/client.ts";

const ABC = {
  bytes: 3,
  sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
};

/** The lines of a home's audit log. */
async function linesOf(home: string): Promise<Record<string, unknown>[]> {
  const text = await Deno.readTextFile(files.audit(home));
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("every call of a session is a line: tools, pages and what was refused", async () => {
  await using made = await nest();
  await using mcp = await connect({ home: made.home });
  await mcp.data("vm_list");
  await mcp.error("vm_info", { name: "none" });
  await mcp.error("vm_delete", { names: ["a", "b"] });
  await mcp.client.readResource({ uri: "nido://images" });
  const lines = await linesOf(made.home);
  assert.deepEqual(
    lines.map(({ session, operation, input, outcome }) => [session, operation, input, outcome]),
    [
      [mcp.label, "vm.list", {}, "ok"],
      [mcp.label, "vm.info", { name: "none" }, "not_found"],
      [mcp.label, "vm.delete", { names: ["a", "b"] }, "denied"],
      [mcp.label, "image.list", {}, "ok"],
    ],
  );
  assert.equal(lines[1]!.message, 'No VM "none"');
  for (const { at, durationMs } of lines) {
    assert.equal(new Date(String(at)).toISOString(), at);
    assert.ok(Number.isInteger(durationMs) && Number(durationMs) >= 0, `${durationMs}`);
  }
  assert.equal((await Deno.stat(files.audit(made.home))).mode! & 0o777, 0o600);
});

Deno.test("of file contents, environment and stdin only size and digest are written", async () => {
  await using made = await nest();
  await using mcp = await connect({ home: made.home, workspace: made.folder });
  const secret = "hunter2";
  await mcp.error("vm_exec", {
    name: "none",
    command: ["env"],
    stdin: "abc",
    env: { TOKEN: secret },
  });
  await mcp.error("vm_write_file", { name: "none", path: "/tmp/x", content: "abc" });
  await mcp.error("vm_spawn", { image: "none", userData: `#!/bin/sh\n# ${secret}` });
  await mcp.error("vm_info", { name: "none", unknown: secret });
  const [exec, write, spawn, info] = (await linesOf(made.home)).map(({ input }) =>
    input as Record<string, unknown>
  );
  assert.deepEqual([exec!.name, exec!.command, exec!.stdin], ["none", ["env"], ABC]);
  assert.deepEqual([write!.path, write!.content], ["/tmp/x", ABC]);
  assert.deepEqual((exec!.env as typeof ABC).bytes, '{"TOKEN":"hunter2"}'.length);
  assert.equal((spawn!.userData as typeof ABC).bytes, "#!/bin/sh\n# hunter2".length);
  assert.deepEqual(Object.keys(info!), ["name", "unknown"]);
  assert.ok(!(await Deno.readTextFile(files.audit(made.home))).includes(secret));
});

Deno.test("no operation has a field for contents, environment or secrets that is told", async () => {
  await withHome(async (home) => {
    const audit = auditOf(home, "s1");
    const seen: string[] = [];
    for (const name of Object.keys(operations)) {
      const op = await load(name);
      for (const [key, schema] of Object.entries(op.input.shape as Record<string, z.ZodType>)) {
        const kind = fieldKind(schema);
        const isSecret = kind === "content" || kind === "secret" ||
          /^(env|stdin|.*content.*|.*data|.*password.*|.*token.*|.*secret.*|sshKeys?)$/i.test(key);
        if (!isSecret) continue;
        await audit({
          operation: op,
          input: { [key]: "abc" },
          startedAt: new Date(),
          durationMs: 1,
        });
        seen.push(`${name} ${key}`);
      }
    }
    for (const name of ["vm.exec env", "vm.exec stdin", "vm.write_file content"]) {
      assert.ok(seen.includes(name), name);
    }
    for (const [index, { input }] of (await linesOf(home)).entries()) {
      assert.deepEqual(Object.values(input as object), [ABC], seen[index]);
    }
  });
});

const echo = operation({
  name: "vm.echo",
  summary: "Give nothing back",
  effect: "read",
  input: z.strictObject({ name: z.string() }),
  output: z.strictObject({}),
  run: () => Promise.resolve({}),
});

Deno.test("a log that is full is put aside; three of them are kept, and no line is lost", async () => {
  await withHome(async (home) => {
    const path = files.audit(home);
    const context = makeContext(home, { audit: auditOf(home, "s1") });
    const full = 5 * 2 ** 20 + 1;
    await echo.call(context, { name: "first" });
    for (let round = 1; round <= 5; round++) {
      const file = await Deno.open(path, { write: true });
      await file.truncate(full); // what is added has no bytes on the disk
      file.close();
      await Promise.all(
        Array.from({ length: 10 }, (_, index) => echo.call(context, { name: `${round}.${index}` })),
      );
    }
    const folder = dirname(path);
    const kept = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => join(folder, name)))
      .filter((name) => name.startsWith(path)).toSorted();
    assert.deepEqual(kept, [path, `${path}.1`, `${path}.2`, `${path}.3`]);
    const names = new Set<string>();
    for (const name of kept) {
      assert.equal((await Deno.stat(name)).mode! & 0o777, 0o600, name);
      const lines = (await Deno.readTextFile(name)).replaceAll("\0", "").trim().split("\n");
      for (const line of lines) names.add(JSON.parse(line).input.name);
    }
    for (const round of [3, 4, 5]) {
      for (let index = 0; index < 10; index++) assert.ok(names.has(`${round}.${index}`));
    }
  });
});

Deno.test("a log that can't be written keeps nobody from a call", async () => {
  await withHome(async (home) => {
    await Deno.mkdir(files.audit(home), { recursive: true });
    const context = makeContext(home, { audit: auditOf(home, "s1") });
    const say = console.error;
    const said: unknown[] = [];
    console.error = (line) => void said.push(line);
    try {
      assert.deepEqual(await echo.call(context, { name: "a" }), {});
    } finally {
      console.error = say;
    }
    assert.match(String(said), /^nido: the audit log can't be written: /);
  });
});
