import { isToken } from "./token.ts";

/** Who may come in. */
export interface Door {
  /** Without one, everybody who reaches the address. */
  token?: string;
  /** The names of this server besides those of loopback. */
  hosts: string[];
}

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** Whether an address is only reached from this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Turns away what must not come in; undefined lets it in. `open` needs no token. */
export async function turnedAway(
  request: Request,
  { token, hosts }: Door,
  isOpen: boolean,
): Promise<Response | undefined> {
  const names = [...LOOPBACK, ...hosts.map(asHost)];
  const host = request.headers.get("host") ?? new URL(request.url).host;
  // A name that a stranger's DNS leads here is not one of ours.
  if (!names.includes(withoutPort(host))) return refusal(403, "This server has another name");
  const origin = request.headers.get("origin");
  if (origin !== null && !isOurs(origin, names)) {
    return refusal(403, "Pages of other sites may not call this server");
  }
  if (token === undefined || isOpen) return undefined;
  const [, given] = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  if (given !== undefined && await isToken(given, token)) return undefined;
  const problem = given === undefined ? "" : ', error="invalid_token"';
  return refusal(401, "A bearer token is needed: nido mcp --http --show-token", {
    "WWW-Authenticate": `Bearer realm="nido"${problem}`,
  });
}

/** An answer that is no result. */
export function refusal(
  status: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  const error = { jsonrpc: "2.0", id: null, error: { code: -32000, message } };
  return Response.json(error, { status, headers });
}

function asHost(name: string): string {
  return name.includes(":") && !name.startsWith("[") ? `[${name}]` : name.toLowerCase();
}

function withoutPort(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, "");
}

function isOurs(origin: string, names: string[]): boolean {
  const { protocol, hostname } = URL.parse(origin) ?? {};
  return (protocol === "http:" || protocol === "https:") && names.includes(hostname ?? "");
}
