import assert from "node:assert/strict";
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { readToken } from "../../../mcp/http/token.ts";
import type { CallToolResult } from "../../../mcp/sdk.ts";
import { Nest } from "../../helpers/guest.ts";
import { serve } from "../../mcp/served.ts";
import { NIDO } from "./third_party.ts";

const MOST_CALLS = 8;

Deno.test("an agent that knows only this server does a whole job on a real VM", async (t) => {
  await using nest = await Nest.shared("agent");

  await t.step("over standard input and output", async () => {
    const [command = "", ...args] = NIDO;
    const env = { ...Deno.env.toObject(), NIDO_HOME: nest.home };
    await job(nest, new StdioClientTransport({ command, args: [...args, "mcp"], env }));
  });

  await t.step("over HTTP", async () => {
    await using server = await serve(nest.home);
    const headers = { Authorization: `Bearer ${await readToken(nest.home)}` };
    const requestInit = { headers };
    await job(nest, new StreamableHTTPClientTransport(new URL(server.url), { requestInit }));
  });
});

type Transport = StdioClientTransport | StreamableHTTPClientTransport;

/** Make, put in, run, keep, break, go back, take out, clean up; no path of this machine is named. */
async function job(nest: Nest, transport: Transport): Promise<void> {
  const client = new Client({ name: "agent", version: "1" });
  await client.connect(transport);
  try {
    const { tools } = await client.listTools();
    let calls = 0;
    // deno-lint-ignore no-explicit-any
    const call = async (name: string, input: Record<string, unknown>): Promise<any> => {
      calls++;
      assert.ok(tools.some((tool) => tool.name === name), `${name} is not offered`);
      const result = await client.callTool({ name, arguments: input }) as CallToolResult;
      assert.ok(!result.isError, JSON.stringify(result.content));
      return result.structuredContent;
    };
    const name = "agent";
    const path = "/home/nido/sum.py";
    const text = "print(sum(range(10)))\n";
    const spawned = await call("vm_spawn", { name, image: "debian:12", memoryMib: 512 });
    assert.deepEqual([spawned.name, spawned.state, spawned.pending], [name, "running", undefined]);
    await call("vm_write_file", { name, path, content: text });
    const ran = await call("vm_exec", { name, command: ["python3", path] });
    assert.deepEqual([ran.exitCode, ran.stdout], [0, "45\n"]);
    await call("snapshot_create", { name, label: "good" });
    const broken = await call("vm_exec", {
      name,
      command: ["sh", "-c", `rm ${path}; python3 ${path}`],
    });
    assert.deepEqual([broken.exitCode, broken.stdout], [2, ""]);
    await call("snapshot_restore", { name, label: "good" });
    const taken = await call("vm_read_file", { name, path });
    assert.equal(taken.content, text);
    await call("vm_delete", { names: [name], force: true, confirm: true });
    assert.ok(calls <= MOST_CALLS, `it took ${calls} calls`);
  } finally {
    await client.close();
  }
  assert.ok(!(await nest.data(["list"])).vms.some((vm: { name: string }) => vm.name === "agent"));
}
