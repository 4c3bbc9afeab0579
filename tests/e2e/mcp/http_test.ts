import assert from "node:assert/strict";
import { join } from "node:path";
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { isToken, readToken } from "../../../mcp/http/token.ts";
import { ANSWER_WITHIN_MS } from "../../../mcp/service.ts";
import { nido, withHome } from "../../helpers/command.ts";
import { nest } from "../../helpers/nest.ts";
import {
  begin,
  HEADERS,
  INITIALIZE,
  type Sent,
  TOKEN,
  withHandler,
} from "../../mcp/http_handler.ts";
import { serve } from "../../mcp/served.ts";

Deno.test("the table of statuses", async () => {
  await withHandler(async ({ send }) => {
    const id = await begin(send);
    const session = { "Mcp-Session-Id": id };
    const large = JSON.stringify({
      jsonrpc: "2.0",
      id: 3,
      method: "ping",
      params: { a: "x".repeat(5_000_000) },
    });
    const table: [string, Sent, number][] = [
      ["a right request", { headers: session }, 200],
      ["another Host", { headers: { ...session, Host: "evil.example" } }, 403],
      ["another Host that begins like ours", {
        headers: { ...session, Host: "127.0.0.1.evil.example" },
      }, 403],
      ["another Host on /health", {
        method: "GET",
        path: "/health",
        headers: { Host: "evil.example" },
      }, 403],
      ["a name that was allowed", { headers: { ...session, Host: "example.test:80" } }, 200],
      ["another Origin", { headers: { ...session, Origin: "https://evil.example" } }, 403],
      ["the Origin null", { headers: { ...session, Origin: "null" } }, 403],
      ["our Origin", { headers: { ...session, Origin: "http://localhost:7433" } }, 200],
      ["no Accept", { headers: { ...session, Accept: "" } }, 406],
      ["an Accept without events", { headers: { ...session, Accept: "application/json" } }, 406],
      ["a wrong content type", { headers: { ...session, "Content-Type": "text/plain" } }, 415],
      ["an unknown session", { headers: { "Mcp-Session-Id": "unknown" } }, 404],
      ["no session", {}, 400],
      [
        "an unknown protocol",
        { headers: { ...session, "Mcp-Protocol-Version": "1999-01-01" } },
        400,
      ],
      ["a body of 5 MB", { headers: session, body: large }, 413],
      ["no JSON", { headers: session, body: "{" }, 400],
      ["no message", { headers: session, body: "{}" }, 400],
      ["no bearer", { headers: { ...session, Authorization: undefined } }, 401],
      ["a wrong bearer", { headers: { ...session, Authorization: "Bearer wrong" } }, 401],
      ["another scheme", { headers: { ...session, Authorization: `Basic ${TOKEN}` } }, 401],
      ["the token in the URL", {
        path: `/mcp?token=${TOKEN}`,
        headers: { ...session, Authorization: undefined },
      }, 401],
      ["another method", { method: "PUT", headers: session }, 405],
      ["another path", { path: "/", headers: session }, 404],
      ["health", { method: "GET", path: "/health", headers: { Authorization: undefined } }, 200],
      ["the end of the session", { method: "DELETE", headers: session }, 200],
      ["the session after its end", { headers: session }, 404],
    ];
    for (const [what, request, status] of table) {
      const response = await send(request);
      await response.body?.cancel();
      assert.equal(response.status, status, what);
      for (const name of response.headers.keys()) {
        assert.doesNotMatch(name, /^access-control/, what);
      }
      if (status === 401) {
        assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer realm="nido"/, what);
      }
    }
  });
});

Deno.test("the token is made once, is its owner's only, and is compared whole", async () => {
  await withHome(async (home) => {
    const tokens = await Promise.all(Array.from({ length: 8 }, () => readToken(home)));
    assert.equal(new Set(tokens).size, 1);
    const [token = ""] = tokens;
    assert.match(token, /^[\w-]{43}$/);
    const path = join(home, "keys", "http_token");
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    assert.equal((await nido(["mcp", "--http", "--show-token"], { home })).stdout, `${token}\n`);
    assert.equal(await isToken(token, token), true);
    for (const wrong of ["", token.slice(1), `${token}x`]) {
      assert.equal(await isToken(wrong, token), false);
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(join(home, "keys")), ({ name }) => name), [
      "http_token",
    ]);
  });
});

Deno.test("a public address needs the token", async () => {
  const { code, stderr } = await nido(
    ["mcp", "--http", "--listen", "0.0.0.0:0", "--no-token"],
    { env: { NO_COLOR: "1" } },
  );
  assert.equal(code, 8);
  assert.match(stderr, /^error: Cannot listen on 0\.0\.0\.0 without a token\n/);
});

Deno.test("the real server answers, tells its health, and ends when asked", async () => {
  await withHome(async (home) => {
    await using server = await serve(home);
    const health = new URL("/health", server.url);
    assert.deepEqual(await (await fetch(health)).json(), { status: "ok" });
    const refused = await fetch(server.url, { method: "POST", body: "{}" });
    assert.equal(refused.status, 401);
    await refused.body?.cancel();
    const { Host: _, ...headers } = HEADERS;
    const response = await fetch(server.url, {
      method: "POST",
      body: INITIALIZE,
      headers: { ...headers, Authorization: `Bearer ${await readToken(home)}` },
    });
    assert.equal(response.status, 200);
    assert.match(await response.text(), /"serverInfo":\{"name":"nido"/);
    const { code, endedMs } = await server.end();
    assert.equal(code, 0);
    assert.ok(endedMs < 4000, `it ended after ${endedMs} ms`);
  });
});

for (const flags of [[], ["--ephemeral"]]) {
  const isKept = flags.length === 0;
  const what = isKept ? "leaves VMs running" : "and --ephemeral takes its VMs with it";
  Deno.test(`the end of the real server in the middle of a call ${what}`, async () => {
    await using made = await nest();
    await using server = await serve(made.home, flags);
    const headers = { Authorization: `Bearer ${await readToken(made.home)}` };
    const client = new Client({ name: "test", version: "1" });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(server.url), { requestInit: { headers } }),
    );
    const call = (name: string, input: Record<string, unknown>) =>
      client.callTool({ name, arguments: input });
    await call("vm_spawn", { name: "one", wait: "running" });
    const waiting = call("vm_wait", { name: "one" }).catch((error) => error);
    await call("vm_list", {}); // by now the other call is under way
    assert.equal((await server.end()).code, 0);
    assert.equal((await made.row("one"))?.state, isKept ? "running" : undefined);
    await client.close();
    await waiting;
  });
}

Deno.test("calls are answered before hosts give up", () => {
  assert.ok(ANSWER_WITHIN_MS <= 50_000);
});
