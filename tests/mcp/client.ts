// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client";
// @ts-types="@modelcontextprotocol/sdk/inMemory"
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import type { CallToolResult } from "../../mcp/sdk.ts";
import { makeServer } from "../../mcp/server.ts";
import {
  endSession,
  makeService,
  makeSession,
  type Service,
  type Setup,
} from "../../mcp/service.ts";

/** A client of a server in this process. */
export interface Connected extends AsyncDisposable {
  client: Client;
  service: Service;
  label: string;
  /** Calls a tool; its result was checked against the schema by the client. */
  call(name: string, input?: Record<string, unknown>): Promise<CallToolResult>;
  /** Calls a tool that must succeed. */
  data<T = Record<string, unknown>>(name: string, input?: Record<string, unknown>): Promise<T>;
  /** Calls a tool that must fail, and gives what it says. */
  error(name: string, input?: Record<string, unknown>): Promise<string>;
  endSession(): Promise<void>;
}

/** How a test's client is made. */
export interface ClientParts {
  /** Another client of the same server. */
  service?: Service;
  client?: Client;
}

/** Connects a client of the official SDK to a server in this process. */
export async function connect(setup: Setup, parts: ClientParts = {}): Promise<Connected> {
  const client = parts.client ?? new Client({ name: "test", version: "1" });
  const service = parts.service ?? await makeService(setup);
  const session = makeSession();
  const server = await makeServer(service, session);
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(theirs), client.connect(ours)]);
  await client.listTools(); // from now on the client checks results
  const call = async (name: string, input: Record<string, unknown> = {}) =>
    await client.callTool({ name, arguments: input }) as CallToolResult;
  return {
    client,
    service,
    label: session.label,
    call,
    async data<T>(name: string, input?: Record<string, unknown>) {
      const result = await call(name, input);
      if (result.isError) throw new Error(textOf(result));
      return result.structuredContent as T;
    },
    async error(name, input) {
      const result = await call(name, input);
      if (!result.isError) throw new Error(`${name} did not fail: ${textOf(result)}`);
      return textOf(result);
    },
    endSession: () => endSession(service, session),
    async [Symbol.asyncDispose]() {
      await client.close();
      await service.unfinished.settled();
    },
  };
}

/** The text of a result. */
export function textOf({ content }: CallToolResult): string {
  return content.map((part) => part.type === "text" ? part.text : "").join("");
}
