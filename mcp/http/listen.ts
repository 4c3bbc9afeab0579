import { NidoError } from "../../lib/errors.ts";
import { askedToEnd, EPHEMERAL_GRACE_MS, GRACE_MS, within } from "../ending.ts";
import { keepHouse } from "../housekeeping.ts";
import type { Service } from "../service.ts";
import { isLoopback } from "./guard.ts";
import { makeHandler } from "./handler.ts";
import { readToken } from "./token.ts";

/** Where HTTP is served, and to whom. */
export interface Listening {
  hostname: string;
  port: number;
  /** More names by which clients may call it. */
  hosts: string[];
  needsToken: boolean;
}

/** Serves clients over HTTP until this process is asked to end; VMs stay. */
export async function serveHttp(
  service: Service,
  listening: Listening,
  say: (line: string) => void,
): Promise<number> {
  const { hostname, port, needsToken, hosts } = listening;
  if (!needsToken && !isLoopback(hostname)) {
    throw new NidoError("denied", `Cannot listen on ${hostname} without a token`, {
      hint: "Listen on 127.0.0.1, or leave --no-token out",
    });
  }
  const token = needsToken ? await readToken(service.setup.home) : undefined;
  await using _house = keepHouse(service);
  const handler = makeHandler(service, { token, hosts: [hostname, ...hosts] });
  const server = bind({ hostname, port }, handler.handle);
  const shown = hostname.includes(":") ? `[${hostname}]` : hostname;
  say(`Nido answers at http://${shown}:${server.addr.port}/mcp`);
  if (token) say("Clients need its token: nido mcp --http --show-token");
  await askedToEnd();
  await within(service.setup.ephemeral ? EPHEMERAL_GRACE_MS : GRACE_MS, handler.close());
  await within(GRACE_MS, server.shutdown());
  return 0;
}

function bind(
  { hostname, port }: { hostname: string; port: number },
  handle: (request: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname, port, onListen: () => {} }, handle);
  } catch (cause) {
    const taken = cause instanceof Deno.errors.AddrInUse;
    if (!taken && !(cause instanceof Deno.errors.AddrNotAvailable)) throw cause;
    const fact = taken ? "something listens there already" : "this host has no such address";
    throw new NidoError("unavailable", `Cannot listen on ${hostname}:${port}: ${fact}`, {
      hint: `nido mcp --http --listen 127.0.0.1:${taken ? port + 1 : port}`,
      cause,
    });
  }
}
