import { dirname, join } from "node:path";
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Context } from "../../lib/context.ts";
import { files, vmFiles } from "../../lib/store/files.ts";
import { writeRecord } from "../../lib/store/record.ts";
import { spawn } from "../../lib/vm/spawn.ts";
import { sshAccess } from "../../lib/vm/ssh_access.ts";
import { openSoundVm } from "../../lib/vm/vm.ts";
import { makeHandler } from "../../mcp/http/handler.ts";
import { makeService } from "../../mcp/service.ts";
import { offeredTools } from "../../mcp/tools.ts";
import { toolsets } from "../../mcp/toolsets.ts";
import { startSshd } from "../../tests/helpers/sshd.ts";
import { request } from "./list.ts";
import { median, medianMs, round, type Row } from "./measure.ts";
import { MAIN, withPlace } from "./place.ts";

const RUNS = 10;
const CALLS = 200;
const EXECS = 40;

/** The server for agents: its start, its calls, a command against `ssh`, and its size. */
export async function mcpBench(): Promise<Row[]> {
  const rows: Row[] = [];
  await withPlace(async (context, folder) => {
    rows.push(...await start(context, folder));
    rows.push(...await calls(context));
    rows.push(...await commands(context, folder));
  });
  for (const set of Object.keys(toolsets())) rows.push(...await size(set));
  return rows;
}

async function start(context: Context, folder: string): Promise<Row[]> {
  const empty = join(folder, "empty.ts");
  await Deno.writeTextFile(empty, "");
  const args = ["run", "-A", empty];
  const floor = await medianMs(RUNS, () => new Deno.Command(Deno.execPath(), { args }).output());
  const bundle = await bundled(folder);
  const listed = async (what: string, main: string): Promise<Row> => {
    const starts: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const since = performance.now();
      await using server = await overStdio(context, main);
      await server.client.listTools();
      starts.push(performance.now() - since);
    }
    const value = round(median(starts));
    const aim = "aim: at most 160 ms and 12 x";
    return { what, value, unit: "ms", runs: RUNS, ratio: round(value / floor, 2), aim };
  };
  return [
    { what: "an empty Deno program (floor)", value: round(floor), unit: "ms", runs: RUNS },
    await listed("nido mcp, until tools/list is answered: one file", bundle),
    await listed("  the same from the source tree", MAIN),
  ];
}

/** Nido in one file, as it is installed. */
async function bundled(folder: string): Promise<string> {
  const file = join(folder, "nido.js");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "build", file],
    cwd: dirname(MAIN),
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return file;
}

async function calls(context: Context): Promise<Row[]> {
  const rate = async (what: string, client: Client): Promise<Row> => {
    await client.callTool({ name: "vm_list", arguments: {} });
    const since = performance.now();
    for (let call = 0; call < CALLS; call++) {
      await client.callTool({ name: "vm_list", arguments: {} });
    }
    const value = round(CALLS / (performance.now() - since) * 1000);
    return { what: `vm_list ${what}, one after another`, value, unit: "calls/s", runs: CALLS };
  };
  await using stdio = await overStdio(context);
  await using http = await overHttp(context);
  return [await rate("over stdio", stdio.client), await rate("over HTTP", http.client)];
}

/** `true` in a VM whose SSH port leads to a server on this host: the way to it, without a guest. */
async function commands(context: Context, folder: string): Promise<Row[]> {
  await using sshd = await startSshd();
  await spawn(context, request("bench", "running"));
  const vm = await openSoundVm(context, "bench");
  const { port, user, hostKey, privateKey } = sshd.target;
  const ports = vm.record.ports.map((one) => one.label === "ssh" ? { ...one, host: port } : one);
  await writeRecord(join(vm.folder, vmFiles.record), { ...vm.record, ports, user, hostKey });
  await Deno.writeTextFile(files.privateKey(context.home), privateKey, { mode: 0o600 });
  await Deno.remove(files.publicKey(context.home)); // of the key before; ssh would offer that one
  await Deno.writeTextFile(join(vm.folder, vmFiles.knownHosts), `nido-vm ${hostKey}\n`);

  const [program = "", ...options] =
    sshAccess(context, await openSoundVm(context, "bench")).command;
  const control = ["-o", "ControlMaster=auto", "-o", `ControlPath=${join(folder, "control")}`];
  const ssh = async (...more: string[]) => {
    const { code, stderr } = await new Deno.Command(program, {
      args: [...control, "-o", "ControlPersist=60", ...options, ...more],
      stdin: "null",
    }).output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  };
  await using server = await overStdio(context);
  const exec = async () => {
    const input = { name: "bench", command: ["true"] };
    const { isError, content } = await server.client.callTool({
      name: "vm_exec",
      arguments: input,
    });
    if (isError) throw new Error(JSON.stringify(content));
  };
  await Promise.all([ssh("true"), exec()]);
  const [theirs, ours] = [await times(() => ssh("true")), await times(exec)];
  await ssh("-O", "exit").catch(() => {});
  const row = (what: string, at: number, own: number[], floor?: number[]): Row => ({
    what: `${what}, p${at}`,
    value: round(percentile(own, at)),
    unit: "ms",
    runs: EXECS,
    ratio: floor && round(percentile(own, at) / percentile(floor, at), 2),
    aim: floor && "aim: at most 1 x",
  });
  return [50, 95].flatMap((at) => [
    row("ssh true, ControlMaster (floor)", at, theirs),
    row("vm_exec true, over stdio", at, ours, theirs),
  ]);
}

async function times(act: () => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < EXECS; run++) {
    const since = performance.now();
    await act();
    times.push(performance.now() - since);
  }
  return times.sort((a, b) => a - b);
}

function percentile(sorted: number[], at: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at / 100))]!;
}

async function size(set: string): Promise<Row[]> {
  const tools = await offeredTools({ toolsets: [set], workspace: "/" });
  const listed = [...tools.values()].map(({ listed }) => listed);
  const seen = listed.map(({ name, description, inputSchema }) => [name, description, inputSchema]);
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length;
  const what = `tools/list with ${set} (${tools.size} tools)`;
  return [
    { what, value: bytes({ tools: listed }), unit: "B", runs: 1 },
    {
      what: `  of it, what a model sees, at 4 bytes each`,
      value: Math.round(bytes(seen) / 4),
      unit: "tokens",
      runs: 1,
    },
  ];
}

type Reached = AsyncDisposable & { client: Client };

async function overStdio(context: Context, main = MAIN): Promise<Reached> {
  const client = new Client({ name: "bench", version: "1" });
  await client.connect(
    new StdioClientTransport({
      command: Deno.execPath(),
      args: ["run", "-A", main, "mcp"],
      env: { ...Deno.env.toObject(), NIDO_HOME: context.home },
    }),
  );
  return { client, [Symbol.asyncDispose]: () => client.close() };
}

async function overHttp(context: Context): Promise<Reached> {
  const handler = makeHandler(await makeService({ home: context.home }), { hosts: [] });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler.handle);
  const client = new Client({ name: "bench", version: "1" });
  const url = new URL(`http://127.0.0.1:${server.addr.port}/mcp`);
  await client.connect(new StreamableHTTPClientTransport(url));
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await handler.close();
      await server.shutdown();
    },
  };
}
