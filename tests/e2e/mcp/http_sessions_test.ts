import assert from "node:assert/strict";
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import type { CallToolResult } from "../../../mcp/sdk.ts";
import { eventually, leftovers, nest } from "../../helpers/nest.ts";
import { textOf } from "../../mcp/client.ts";
import { begin, INITIALIZE, type Served, withHandler } from "../../mcp/http_handler.ts";

async function call(client: Client, name: string, input: Record<string, unknown> = {}) {
  return await client.callTool({ name, arguments: input }) as CallToolResult;
}

async function statusOf(send: Served["send"], id: string): Promise<number> {
  const response = await send({ headers: { "Mcp-Session-Id": id } });
  await response.body?.cancel();
  return response.status;
}

Deno.test("there are only so many sessions; the end of one makes room", async () => {
  await withHandler(async ({ send }) => {
    const first = await begin(send);
    await begin(send);
    const third = await send({ body: INITIALIZE });
    assert.deepEqual([third.status, third.headers.get("retry-after")], [503, "60"]);
    await send({ method: "DELETE", headers: { "Mcp-Session-Id": first } });
    await begin(send);
  }, { limits: { sessions: 2 } });
});

Deno.test("of many that begin at once only so many get in", async () => {
  await withHandler(async ({ send }) => {
    const all = await Promise.all(Array.from({ length: 20 }, () => send({ body: INITIALIZE })));
    const statuses = all.map(({ status }) => status).toSorted();
    assert.deepEqual(statuses, [...Array(3).fill(200), ...Array(17).fill(503)]);
    for (const { body } of all) await body?.cancel();
  }, { limits: { sessions: 3 } });
});

Deno.test("a request that begins no session leaves none", async () => {
  await withHandler(async ({ send }) => {
    for (let time = 0; time < 5; time++) assert.equal((await send({ body: "{" })).status, 400);
    await begin(send);
  }, { limits: { sessions: 1 } });
});

/** Lets time stand still until it is set. */
function frozenTime(): Disposable & { ms: number } {
  const now = performance.now;
  const time = { ms: 0, [Symbol.dispose]: () => void (performance.now = now) };
  performance.now = () => time.ms;
  return time;
}

Deno.test("a session that nobody uses for too long is over; each use counts", async () => {
  using time = frozenTime();
  await withHandler(async ({ send }) => {
    const [used, idle] = [await begin(send), await begin(send)];
    time.ms = 50_000;
    assert.equal(await statusOf(send, used), 200);
    time.ms = 60_001;
    await begin(send); // whoever comes makes the server look
    assert.deepEqual([await statusOf(send, used), await statusOf(send, idle)], [200, 404]);
  }, { limits: { idleMs: 60_000 } });
});

Deno.test("that it is over is noticed though nobody comes, and takes its VMs with it", async () => {
  await using made = await nest();
  await withHandler(async ({ enter }) => {
    {
      using _time = frozenTime();
      const { client } = await enter();
      await call(client, "vm_spawn", { name: "mine", wait: "none" });
      assert.equal((await made.list()).length, 1);
    }
    await eventually("it is deleted", async () => await made.row("mine") === undefined);
  }, { home: made.home, ephemeral: true, limits: { idleMs: 100 } });
});

Deno.test("an ephemeral session takes its own VMs with it, and only when it ends", async () => {
  await using made = await nest();
  const there = async () => (await made.list()).map(({ name }) => name);
  await withHandler(async ({ enter, handler }) => {
    const [first, second] = [await enter(), await enter()];
    await call(first.client, "vm_spawn", { name: "a", wait: "none" });
    await call(second.client, "vm_spawn", { name: "b", wait: "none" });
    await made.spawn("c", { wait: "none" });
    await first.transport.terminateSession();
    assert.deepEqual(await there(), ["b", "c"]);
    await handler.close();
    assert.deepEqual(await there(), ["c"]);
  }, { home: made.home, ephemeral: true });
});

Deno.test("the end of a session, or of the server, leaves VMs running", async () => {
  await using made = await nest();
  await withHandler(async ({ enter, handler }) => {
    const { client, transport } = await enter();
    await call(client, "vm_spawn", { name: "kept", wait: "running" });
    await transport.terminateSession();
    assert.equal((await made.row("kept"))?.state, "running");
    await handler.close();
    assert.equal((await made.row("kept"))?.state, "running");
  }, { home: made.home });
});

for (const way of ["cancels the call", "ends the session"]) {
  Deno.test(`a client that ${way} in the middle of a spawn leaves no VM behind`, async () => {
    await using made = await nest();
    await withHandler(async ({ enter, service }) => {
      const { client, transport } = await enter();
      const controller = new AbortController();
      const { signal } = controller;
      const spawn = { name: "vm_spawn", arguments: { name: "gone" } };
      const spawned = client.callTool(spawn, undefined, { signal }).catch((error) => error);
      await eventually("it runs", async () => (await made.row("gone"))?.state === "running");
      if (way === "cancels the call") controller.abort("enough");
      else await transport.terminateSession();
      await service.unfinished.settled();
      await eventually("nothing is left", async () => (await leftovers(made.home)).length === 0);
      await client.close();
      await spawned;
    }, { home: made.home });
  });
}

Deno.test("fifty calls at once in one session get each its own answer", async () => {
  await withHandler(async ({ enter }) => {
    const { client } = await enter();
    const names = Array.from({ length: 50 }, (_, index) => `vm-${index}`);
    const answers = await Promise.all(names.map((name) => call(client, "vm_info", { name })));
    for (const [index, answer] of answers.entries()) {
      assert.match(textOf(answer), new RegExp(`^not_found: No VM "${names[index]}"`));
    }
  });
});

Deno.test("progress and questions come over the call's own stream", async () => {
  await using made = await nest();
  await withHandler(async ({ enter }) => {
    const asking = new Client({ name: "asking", version: "1" }, {
      capabilities: { elicitation: { form: {} } },
    });
    const asked: string[] = [];
    asking.setRequestHandler(ElicitRequestSchema, ({ params }: { params: { message: string } }) => {
      asked.push(params.message);
      return { action: "decline" };
    });
    const { client } = await enter(asking);
    const told: string[] = [];
    await client.callTool(
      { name: "vm_spawn", arguments: { name: "one", wait: "none" } },
      undefined,
      { onprogress: ({ message = "" }) => void told.push(message) },
    );
    assert.match(told[0] ?? "", /^disk: making the nest of "one", \d+ s$/);
    const refused = await call(client, "vm_delete", {
      names: ["one"],
      force: true,
      confirm: true,
    });
    assert.match(textOf(refused), /^denied: Cannot run vm\.delete: the user refused it\n/);
    assert.deepEqual(asked, ["May the agent call vm_delete? It would destroy one by force."]);
    assert.equal((await made.list()).length, 1);
  }, { home: made.home });
});

Deno.test("the server's end cancels what is under way, and ephemeral VMs go all the same", async () => {
  await using made = await nest();
  await withHandler(async ({ enter, handler }) => {
    const { client } = await enter();
    await call(client, "vm_spawn", { name: "mine", wait: "running" });
    const waiting = call(client, "vm_wait", { name: "mine" }).catch((error) => error);
    const spawning = call(client, "vm_spawn", { name: "other" }).catch((error) => error);
    await eventually("it runs", async () => (await made.row("other"))?.state === "running");
    const since = performance.now();
    await handler.close();
    const tookMs = performance.now() - since; // by itself neither call would end for 48 s
    assert.ok(tookMs < 20_000, `it took ${tookMs} ms`);
    await made.assertEmpty();
    await client.close();
    await Promise.all([waiting, spawning]);
  }, { home: made.home, ephemeral: true });
});
