import assert from "node:assert/strict";
import { join } from "node:path";
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client";
import { eventually, nest } from "../../helpers/nest.ts";
import { connect, textOf } from "../../mcp/client.ts";

Deno.test("an error names the nearest VM and the next call", async () => {
  await using made = await nest();
  await made.spawn("web", { wait: "none" });
  await using mcp = await connect({ home: made.home });
  assert.equal(
    await mcp.error("vm_info", { name: "wed" }),
    'not_found: No VM "wed"; the nearest is "web"\nHint: vm_info {"name":"web"}\nDetails: {"nearest":"web"}',
  );
  assert.equal(
    await mcp.error("vm_stop", { name: "web" }),
    'wrong_state: Cannot stop VM "web": it is stopped\nHint: vm_start {"name":"web"}\nDetails: {"state":"stopped"}',
  );
  assert.match(
    await mcp.error("vm_info", { name: "web", nmae: 1 }),
    /^invalid_input: Cannot run vm\.info: input: Unrecognized key: "nmae"\nHint: vm_info\n/,
  );
});

Deno.test("an unknown tool is an error of the protocol that names the nearest", async () => {
  await using made = await nest();
  await using mcp = await connect({ home: made.home });
  await assert.rejects(mcp.call("vm_lst"), {
    code: -32602,
    message: 'MCP error -32602: There is no tool "vm_lst" here; the nearest is "vm_list"',
  });
});

Deno.test("what is for a person at a terminal is no part of a tool", async () => {
  await using made = await nest();
  await using mcp = await connect({ home: made.home });
  assert.equal(
    await mcp.error("system_doctor", { fix: true }),
    "invalid_input: Cannot run system.doctor: this server has no fix",
  );
});

Deno.test("a spawn that takes too long answers with the name; vm_wait goes on from there", async () => {
  await using made = await nest();
  await made.call("config.set", { key: "warm", value: "off" });
  await using mcp = await connect({ home: made.home, answerWithinMs: 1500 });
  const spawned = await mcp.data<Record<string, string>>("vm_spawn", { timeoutSeconds: 20 });
  const { name = "", stage, ...rest } = spawned;
  assert.match(name, /^[a-z]+-[a-z]+$/);
  assert.match(stage!, /^[a-z]+: ./);
  assert.deepEqual(rest, {
    state: "running",
    pending: true,
    hint: `vm_wait {"name":"${name}"} until it is ready`,
  });
  const waited = await mcp.data<Record<string, string>>("vm_wait", { name });
  assert.deepEqual([waited.name, waited.pending], [name, true]);
  await made.call("vm.delete", { names: [name], force: true });
  await eventually("the spawn has ended", async () => {
    const text = textOf(await mcp.call("vm_wait", { name }));
    return text.startsWith("unavailable:") || text.startsWith("not_found:") ||
      text.startsWith("wrong_state:");
  });
});

Deno.test("a client that cancels a spawn leaves nothing", async () => {
  await using made = await nest();
  await made.call("config.set", { key: "warm", value: "off" });
  await using mcp = await connect({ home: made.home });
  const controller = new AbortController();
  const spawned = mcp.client.callTool(
    { name: "vm_spawn", arguments: { name: "gone" } },
    undefined,
    { signal: controller.signal },
  ).catch((error) => error);
  await eventually("it runs", async () => (await made.row("gone"))?.state === "running");
  controller.abort("enough");
  await spawned;
  await mcp.service.unfinished.settled();
  await made.assertEmpty();
});

Deno.test("progress is told when it is asked for", async () => {
  await using made = await nest();
  await using mcp = await connect({ home: made.home });
  const told: { progress: number; message?: string }[] = [];
  await mcp.client.callTool(
    { name: "vm_spawn", arguments: { name: "one", wait: "running" } },
    undefined,
    { onprogress: (progress) => void told.push(progress) },
  );
  assert.match(told[0]?.message ?? "", /^disk: making the nest of "one", \d+ s$/);
  assert.deepEqual(told.map(({ progress }) => progress), told.map((_, index) => index + 1));
});

Deno.test("forcing and destroying several must be confirmed; a person who can be asked may refuse", async () => {
  await using made = await nest();
  for (const name of ["one", "two"]) await made.spawn(name, { wait: "none" });
  await using mcp = await connect({ home: made.home });
  assert.equal(
    await mcp.error("vm_delete", { names: ["one", "two"] }),
    "denied: Cannot run vm.delete: it would destroy one, two\n" +
      'Hint: vm_delete {"names":["one","two"],"confirm":true}, when that is meant',
  );
  assert.match(
    await mcp.error("vm_delete", { names: ["one"], force: true }),
    /^denied: Cannot run vm\.delete: it would destroy one by force\n/,
  );
  assert.equal((await made.list()).length, 2);

  for (
    const [answer, refused] of [["decline", true], ["cancel", true], ["accept", false]] as const
  ) {
    const asking = new Client({ name: "asking", version: "1" }, {
      capabilities: { elicitation: { form: {} } },
    });
    const { ElicitRequestSchema } = await import("@modelcontextprotocol/sdk/types.js");
    const asked: string[] = [];
    asking.setRequestHandler(ElicitRequestSchema, ({ params }: { params: { message: string } }) => {
      asked.push(params.message);
      return { action: answer, ...(answer === "accept" ? { content: { proceed: true } } : {}) };
    });
    await using with_ = await connect({ home: made.home }, { client: asking });
    const input = { names: ["one", "two"], confirm: true };
    if (refused) {
      assert.equal(
        await with_.error("vm_delete", input),
        "denied: Cannot run vm.delete: the user refused it\nHint: Ask the user what to do instead",
      );
      assert.equal((await made.list()).length, 2);
    } else assert.deepEqual(await with_.data("vm_delete", input), { deleted: ["one", "two"] });
    assert.deepEqual(asked, ["May the agent call vm_delete? It would destroy one, two."]);
  }
});

Deno.test("VMs carry their session's label; an ephemeral session takes its own with it", async () => {
  await using made = await nest();
  await using first = await connect({ home: made.home, ephemeral: true });
  await using second = await connect({ home: made.home, ephemeral: true });
  await first.data("vm_spawn", { name: "mine", wait: "running", labels: { a: "b" } });
  await second.data("vm_spawn", { name: "theirs", wait: "none" });
  const { labels } = await first.data<{ labels: Record<string, string> }>("vm_info", {
    name: "mine",
  });
  assert.deepEqual(labels, { a: "b", "nido.session": first.label });
  await first.endSession();
  assert.deepEqual((await made.list()).map(({ name }) => name), ["theirs"]);
});

Deno.test("pages, their templates and completion", async () => {
  await using made = await nest();
  for (const name of ["web", "worker", "db"]) await made.spawn(name, { wait: "none" });
  await using mcp = await connect({ home: made.home });
  const { resources } = await mcp.client.listResources();
  assert.deepEqual(resources.map(({ uri }) => uri), [
    "nido://vms",
    "nido://templates",
    "nido://images",
    "nido://system/doctor",
    "nido://guide",
  ]);
  const read = async (uri: string) => {
    const { contents: [page] } = await mcp.client.readResource({ uri });
    assert.equal(page?.uri, uri);
    return page as { mimeType: string; text: string };
  };
  for (const { uri, mimeType } of resources) {
    const page = await read(uri);
    assert.equal(page.mimeType, mimeType);
    if (mimeType === "application/json") JSON.parse(page.text);
    else assert.match(page.text, /^# Nido for agents\n/);
  }
  assert.equal(JSON.parse((await read("nido://vms/web")).text).state, "stopped");
  assert.equal((await read("nido://vms/web/console")).text, "");
  const { resourceTemplates } = await mcp.client.listResourceTemplates();
  const completed = await mcp.client.complete({
    ref: { type: "ref/resource", uri: resourceTemplates[0]!.uriTemplate },
    argument: { name: "name", value: "w" },
  });
  assert.deepEqual(completed.completion.values, ["web", "worker"]);
  for (
    const uri of [
      "nido://vms/wed",
      "nido://vms/..%2f..",
      "nido://vms/%",
      "nido://x",
      "file:///etc/passwd",
    ]
  ) {
    await assert.rejects(mcp.client.readResource({ uri }), { code: -32002 }, uri);
  }
});

Deno.test("prompts are filled in, and say what is missing", async () => {
  await using made = await nest();
  await using mcp = await connect({ home: made.home });
  const { prompts } = await mcp.client.listPrompts();
  assert.deepEqual(prompts.map(({ name }) => name), ["sandbox_task", "reproduce_bug"]);
  const { messages } = await mcp.client.getPrompt({
    name: "sandbox_task",
    arguments: { task: "Count to three", image: "tiny" },
  });
  const { text } = messages[0]!.content as { text: string };
  assert.match(text, /\n\nCount to three\n\n1\. vm_spawn \{"image":"tiny"\};/);
  await assert.rejects(mcp.client.getPrompt({ name: "reproduce_bug", arguments: {} }), {
    message: 'MCP error -32602: The prompt needs its argument "report"',
  });
});

Deno.test("long lists come in pages", async () => {
  await using made = await nest();
  const folders = Array.from({ length: 230 }, (_, index) => `vm-${String(index).padStart(3, "0")}`);
  for (const name of folders) {
    await Deno.mkdir(join(made.home, "vms", name), { recursive: true });
  }
  await using mcp = await connect({ home: made.home });
  const seen: string[] = [];
  for (let offset: number | undefined = 0; offset !== undefined;) {
    const page: { vms: { name: string }[]; total?: number; nextOffset?: number; hint?: string } =
      await mcp.data("vm_list", { offset });
    assert.ok(page.vms.length <= 100);
    assert.equal(page.total, 230);
    if (page.nextOffset) {
      assert.equal(page.hint, `vm_list {"offset":${page.nextOffset}} for the rest`);
    }
    seen.push(...page.vms.map(({ name }) => name));
    offset = page.nextOffset;
  }
  assert.deepEqual(seen, folders);
});
