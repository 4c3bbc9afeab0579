import { WebStandardStreamableHTTPServerTransport as Transport } from "../sdk.ts";
import { makeServer } from "../server.ts";
import { endSession, makeSession, type Service, type Session } from "../service.ts";
import { type Door, refusal, turnedAway } from "./guard.ts";

/** What answers HTTP requests. */
export interface Handler {
  handle(request: Request): Promise<Response>;
  /** Ends all sessions. */
  close(): Promise<void>;
}

/** What keeps a server from being filled up. */
export interface Limits {
  sessions: number;
  idleMs: number;
  bodyBytes: number;
}

interface Stay {
  transport: Transport;
  session: Session;
  usedAt: number;
}

const LIMITS: Limits = { sessions: 64, idleMs: 30 * 60_000, bodyBytes: 4 * 2 ** 20 };
const SWEEP_MS = 30_000;

/** Makes the handler of one server: `/mcp`, and `/health` for those who watch it. */
export function makeHandler(
  service: Service,
  door: Door,
  limits: Limits = LIMITS,
  make: typeof makeServer = makeServer,
): Handler {
  const stays = new Map<string, Stay>();
  const end = async (id: string) => {
    const stay = stays.get(id);
    stays.delete(id);
    if (!stay) return;
    await stay.transport.close();
    await endSession(service, stay.session);
  };
  const expire = () => {
    const now = performance.now();
    for (const [id, { usedAt }] of stays) {
      if (now - usedAt > limits.idleMs) end(id).catch((error) => console.error(`nido: ${error}`));
    }
  };
  const sweep = setInterval(expire, Math.min(SWEEP_MS, limits.idleMs));
  let beginning = 0;
  const begin = async (request: Request) => {
    expire();
    if (stays.size + beginning >= limits.sessions) {
      return refusal(503, "This server has as many sessions as it may", { "Retry-After": "60" });
    }
    // Race: a session is known only when its first request was read; until then it takes a place, too.
    beginning++;
    return await enter(request).finally(() => beginning--);
  };
  const enter = async (request: Request) => {
    const session = makeSession();
    const transport = new Transport({
      sessionIdGenerator: () => crypto.randomUUID(),
      maxRequestBodySize: limits.bodyBytes,
      onsessioninitialized: (id) => {
        stays.set(id, { transport, session, usedAt: performance.now() });
      },
      onsessionclosed: (id) => end(id),
    });
    await (await make(service, session)).connect(transport);
    const response = await transport.handleRequest(request);
    if (transport.sessionId === undefined) await transport.close();
    return response;
  };
  return {
    async handle(request) {
      const { pathname } = new URL(request.url);
      const isHealth = pathname === "/health";
      const away = await turnedAway(request, door, isHealth);
      if (away) return away;
      if (isHealth) return Response.json({ status: "ok" });
      if (pathname !== "/mcp") return refusal(404, "There is nothing here but /mcp and /health");
      const id = request.headers.get("mcp-session-id");
      if (id === null) return await begin(request);
      const stay = stays.get(id);
      if (!stay) return refusal(404, "There is no such session; begin another");
      stay.usedAt = performance.now();
      return await stay.transport.handleRequest(request);
    },
    async close() {
      clearInterval(sweep);
      const all = [...stays.values()];
      stays.clear();
      await Promise.all(all.map(({ transport }) => transport.close())); // which cancels their calls
      await service.unfinished.settled();
      await Promise.all(all.map(({ session }) => endSession(service, session)));
    },
  };
}
