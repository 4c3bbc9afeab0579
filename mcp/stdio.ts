import process from "node:process";
import { askedToEnd, EPHEMERAL_GRACE_MS, GRACE_MS, within } from "./ending.ts";
import { keepHouse } from "./housekeeping.ts";
import { StdioServerTransport } from "./sdk.ts";
import { makeServer } from "./server.ts";
import { endSession, makeSession, type Service } from "./service.ts";
import { wholeLines } from "./whole_lines.ts";

const MESSAGE_BYTES = 32 * 2 ** 20;

/** Serves one client on standard input and output until it goes; VMs stay. */
export async function serveStdio(service: Service): Promise<number> {
  await using _house = keepHouse(service);
  const session = makeSession();
  const server = await makeServer(service, session);
  const { promise: gone, resolve: leave } = Promise.withResolvers<void>();
  // SDK 1.32 doesn't close at the end of its input.
  for (const end of ["end", "close", "error"]) process.stdin.once(end, () => leave());
  process.stdout.once("error", () => leave());
  server.onclose = leave;
  server.onerror = (error) => console.error(`nido: ${error.message.slice(0, 500)}`);
  await server.connect(
    new StdioServerTransport(wholeLines(process.stdin, MESSAGE_BYTES), process.stdout, {
      maxBufferSize: MESSAGE_BYTES,
    }),
  );
  await Promise.race([gone, askedToEnd()]);
  await within(GRACE_MS, Promise.all([server.close(), service.unfinished.settled()]));
  await within(EPHEMERAL_GRACE_MS, endSession(service, session));
  return 0;
}
