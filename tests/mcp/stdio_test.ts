import assert from "node:assert/strict";
import { TextLineStream } from "./lines.ts";
import { startNido, withHome } from "../helpers/command.ts";
import { eventually, lives, machinesOf, nest } from "../helpers/nest.ts";

interface Message {
  jsonrpc: string;
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
}

const INITIALIZE = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "raw", version: "1" },
};

/** The real server process, spoken to line by line. */
class Raw implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers = new Map<number, PromiseWithResolvers<Message>>();
  readonly #reading: Promise<void>;
  /** What came on standard output and is no message. */
  readonly strange: string[] = [];
  readonly notes: Message[] = [];
  #id = 0;

  constructor(home: string, args: string[] = []) {
    this.child = startNido(["mcp", ...args], { home });
    this.#writer = this.child.stdin.getWriter();
    this.#reading = this.#read();
  }

  async send(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /** Sends a request; gives its id at once and its answer later. */
  request(method: string, params: Record<string, unknown> = {}) {
    const id = ++this.#id;
    const answer = this.#answer(id);
    const sent = this.send(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    return { id, answer: sent.then(() => answer) };
  }

  async notify(method: string, params: Record<string, unknown> = {}): Promise<void> {
    await this.send(`${JSON.stringify({ jsonrpc: "2.0", method, params })}\n`);
  }

  async call(name: string, args: Record<string, unknown> = {}): Promise<Message> {
    return await this.request("tools/call", { name, arguments: args }).answer;
  }

  async begin(): Promise<void> {
    await this.request("initialize", INITIALIZE).answer;
    await this.notify("notifications/initialized");
  }

  /** Closes its input; gives how it ended and how long that took. */
  async end(act: () => Promise<void> | void = () => this.#writer.close()) {
    const since = performance.now();
    await act();
    const { code } = await this.child.status;
    const endedMs = performance.now() - since;
    await this.#reading;
    return { code, endedMs };
  }

  #answer(id: number): Promise<Message> {
    const known = this.#answers.get(id) ?? Promise.withResolvers<Message>();
    this.#answers.set(id, known);
    return known.promise;
  }

  async #read(): Promise<void> {
    const lines = this.child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      try {
        const message = JSON.parse(line) as Message;
        assert.equal(message.jsonrpc, "2.0");
        if (message.id === undefined) this.notes.push(message);
        else {
          this.#answer(message.id);
          this.#answers.get(message.id)!.resolve(message);
        }
      } catch {
        this.strange.push(line);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    try {
      this.child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await Promise.all([this.child.status, this.#reading, this.child.stderr.cancel()]);
  }
}

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
  const runs = async (name: string) => {
    for (let look = 0; look < 400; look++) {
      if ((await made.row(name))?.state === "running") return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`${name} never ran`);
  };
  await using raw = new Raw(made.home);
  await raw.begin();
  const { id } = raw.request("tools/call", { name: "vm_spawn", arguments: { name: "first" } });
  await runs("first");
  await raw.notify("notifications/cancelled", { requestId: id });
  // The VM is gone before the server has let go of its name.
  await eventually("it is gone", () => made.assertEmpty().then(() => true, () => false));
  await made.assertEmpty();

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

Deno.test("wrong flags are told, with the nearest name", async () => {
  const { nido } = await import("../helpers/command.ts");
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
