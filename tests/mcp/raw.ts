import assert from "node:assert/strict";
import { startNido } from "../helpers/command.ts";
import { TextLineStream } from "./lines.ts";

/** A message of the protocol. */
export interface Message {
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
export class Raw implements AsyncDisposable {
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
