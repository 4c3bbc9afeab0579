import assert from "node:assert/strict";
import { withHome } from "../../helpers/command.ts";
import { eventually, leftovers, lives, machinesOf, nest } from "../../helpers/nest.ts";
import { Raw } from "../../mcp/raw.ts";

Deno.test("junk on its input is survived, and its output holds nothing but the protocol", async () => {
  await withHome(async (home) => {
    await using raw = new Raw(home);
    await raw.begin();
    for (
      const junk of ["not json\n", "{}\n", "[]\n", "null\n", "\n", "\0\xff\n", '{"jsonrpc":"2.0"\n']
    ) {
      await raw.send(junk);
    }
    assert.deepEqual((await raw.request("ping").answer).result, {});
    assert.equal((await raw.request("no/such/method").answer).error?.code, -32601);
    assert.equal((await raw.call("no_such_tool")).error?.code, -32602);
    const odd = await raw.request("tools/call", { name: 3 }).answer;
    assert.ok(odd.error, JSON.stringify(odd));
    assert.deepEqual((await raw.call("vm_list")).result?.structuredContent, { vms: [] });
    const { code, endedMs } = await raw.end();
    assert.equal(code, 0);
    assert.ok(endedMs < 2000, `it ended after ${endedMs} ms`);
    assert.deepEqual(raw.strange, []);
  });
});

Deno.test("a message of 12 MB is read, and its call refused", async () => {
  await withHome(async (home) => {
    await using raw = new Raw(home);
    await raw.begin();
    const answer = await raw.call("vm_list", { state: "x".repeat(12_000_000) });
    const text = JSON.stringify(answer.result);
    assert.match(text, /invalid_input: Cannot run vm\.list: state: Invalid option/);
    assert.ok(text.length < 10_000);
    assert.deepEqual((await raw.request("ping").answer).result, {});
  });
});

Deno.test("half a line and the end of input: it ends", async () => {
  await withHome(async (home) => {
    await using raw = new Raw(home);
    await raw.begin();
    await raw.send('{"jsonrpc":"2.0","id":9,"method":"pi');
    const { code, endedMs } = await raw.end();
    assert.equal(code, 0);
    assert.ok(endedMs < 2000, `it ended after ${endedMs} ms`);
  });
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} ends it`, async () => {
    await withHome(async (home) => {
      await using raw = new Raw(home);
      await raw.begin();
      const { code, endedMs } = await raw.end(() => raw.child.kill(signal));
      assert.equal(code, 0);
      assert.ok(endedMs < 2000, `it ended after ${endedMs} ms`);
    });
  });
}

Deno.test("fifty calls at once are answered, each with its own answer", async () => {
  await withHome(async (home) => {
    await using raw = new Raw(home);
    await raw.begin();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => raw.call("vm_info", { name: `vm-${index}` })),
    );
    for (const [index, { result }] of answers.entries()) {
      assert.match(JSON.stringify(result), new RegExp(`No VM \\\\"vm-${index}\\\\"`));
    }
  });
});

Deno.test("a client that cancels or goes in the middle of a spawn leaves no VM behind", async () => {
  await using made = await nest();
  await made.call("config.set", { key: "warm", value: "off" });
  const runs = (name: string) =>
    eventually(`${name} runs`, async () => (await made.row(name))?.state === "running");
  await using raw = new Raw(made.home);
  await raw.begin();
  const { id } = raw.request("tools/call", { name: "vm_spawn", arguments: { name: "first" } });
  await runs("first");
  await raw.notify("notifications/cancelled", { requestId: id });
  await eventually("nothing is left", async () => (await leftovers(made.home)).length === 0);

  raw.request("tools/call", { name: "vm_spawn", arguments: { name: "second" } });
  await runs("second");
  const pid = await made.pid("second");
  const { endedMs } = await raw.end();
  assert.ok(endedMs < 2000, `it ended after ${endedMs} ms`);
  assert.equal(await lives(pid), false);
  assert.deepEqual([...await machinesOf(made.home)], []);
});

Deno.test("VMs stay when the server ends", async () => {
  await using made = await nest();
  await using raw = new Raw(made.home);
  await raw.begin();
  const { result } = await raw.call("vm_spawn", { name: "kept", wait: "running" });
  assert.equal((result?.structuredContent as { state: string }).state, "running");
  await raw.end();
  assert.equal((await made.row("kept"))?.state, "running");
});

Deno.test("an ephemeral server takes its VMs with it, and no others", async () => {
  await using made = await nest();
  await made.spawn("kept", { wait: "none" });
  await using raw = new Raw(made.home, ["--ephemeral"]);
  await raw.begin();
  const { result } = await raw.call("vm_spawn", { name: "mine", wait: "running" });
  assert.equal((result?.structuredContent as { state: string }).state, "running");
  const pid = await made.pid("mine");
  const { code } = await raw.end();
  assert.deepEqual([code, await lives(pid)], [0, false]);
  assert.deepEqual((await made.list()).map(({ name }) => name), ["kept"]);
});

Deno.test("wrong flags are told, with the nearest name", async () => {
  const { nido } = await import("../../helpers/command.ts");
  const said = async (...args: string[]) => {
    const { code, stderr } = await nido(["mcp", ...args], { env: { NO_COLOR: "1" } });
    assert.equal(code, 2);
    return stderr.split("\n")[0];
  };
  assert.equal(
    await said("--toolsets", "imge"),
    'error: There is no toolset "imge"; the nearest is "image"',
  );
  assert.equal(await said("--bogus"), "error: Cannot run mcp: Unknown option '--bogus'");
  assert.equal(
    await said("--listen", "127.0.0.1:1"),
    "error: Cannot run mcp: --listen goes with --http",
  );
  assert.equal(
    await said("--http", "--listen", "7433"),
    'error: Cannot run mcp: --listen: expected ADDRESS:PORT, got "7433"',
  );
  assert.equal(
    await said("--workspace", "/no/such"),
    "error: Cannot run mcp: --workspace: there is no folder /no/such",
  );
  assert.equal(
    await said("--policy", "read_only"),
    "error: Cannot read the policy read_only: there is no such file",
  );
});
