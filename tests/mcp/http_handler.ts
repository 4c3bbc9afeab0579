import assert from "node:assert/strict";
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { type Handler, type Limits, makeHandler } from "../../mcp/http/handler.ts";
import { makeService, type Service, type Setup } from "../../mcp/service.ts";
import { withHome } from "../helpers/command.ts";

/** What a client must show here. */
export const TOKEN = "right-token";
const URL_ = "http://127.0.0.1:7433/mcp";
/** The headers of a right request. */
export const HEADERS = {
  "Authorization": `Bearer ${TOKEN}`,
  "Accept": "application/json, text/event-stream",
  "Content-Type": "application/json",
  "Host": "127.0.0.1:7433",
};
/** The request that begins a session. */
export const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "raw", version: "1" },
  },
});
const LIST = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/list", params: {} });

/** In what a request differs from a right one. */
export interface Sent {
  method?: string;
  path?: string;
  body?: string;
  headers?: Record<string, string | undefined>;
}

/** A handler in this process. */
export interface Served {
  handler: Handler;
  service: Service;
  send(what?: Sent): Promise<Response>;
  /** Connects a client of the official SDK. */
  enter(client?: Client): Promise<{ client: Client; transport: StreamableHTTPClientTransport }>;
}

/** Lends a handler; of a home of its own when the setup names none. */
export async function withHandler(
  use: (served: Served) => Promise<void>,
  { limits, ...setup }: Partial<Setup> & { limits?: Partial<Limits> } = {},
): Promise<void> {
  if (setup.home === undefined) {
    return await withHome((home) => withHandler(use, { ...setup, home, limits }));
  }
  const service = await makeService({ ...setup, home: setup.home });
  const all = { sessions: 64, idleMs: 60_000, bodyBytes: 4 * 2 ** 20, ...limits };
  const handler = makeHandler(
    service,
    { token: TOKEN, hosts: ["example.test"] },
    limits && all,
  );
  try {
    await use({ handler, service, send: (what) => send(handler, what), enter });
  } finally {
    await handler.close();
  }

  async function enter(client = new Client({ name: "test", version: "1" })) {
    const transport = new StreamableHTTPClientTransport(new URL(URL_), {
      requestInit: { headers: { Authorization: HEADERS.Authorization } },
      fetch: (url, init) => handler.handle(new Request(url, init as RequestInit)),
    });
    await client.connect(transport);
    return { client, transport };
  }
}

async function send(
  handler: Handler,
  { method = "POST", path = "/mcp", body = LIST, headers = {} }: Sent = {},
): Promise<Response> {
  const request = new Request(new URL(path, URL_), {
    method,
    body: method === "POST" ? body : undefined,
  });
  for (const [name, value] of Object.entries({ ...HEADERS, ...headers })) {
    if (value !== undefined) request.headers.set(name, value);
  }
  return await handler.handle(request);
}

/** Begins a session and gives its id. */
export async function begin(send: Served["send"]): Promise<string> {
  const response = await send({ body: INITIALIZE });
  assert.equal(response.status, 200);
  await response.text();
  return response.headers.get("mcp-session-id")!;
}
