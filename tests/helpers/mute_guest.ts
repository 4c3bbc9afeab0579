// Preloaded before main.ts, or imported by a test: plays what machines without a guest system lack.
// The host's end of a machine's hatch port answers for its reader, and no SSH server listens.
import { Socket } from "node:net";

const ANSWER = new TextEncoder().encode('{"renewed":true,"problems":[]}\n');

const connect = Deno.connect as (options: unknown) => Promise<Deno.Conn>;
Deno.connect = (async (options: { path?: string }) => {
  const connection = await connect(options);
  if (options.path?.endsWith("/hatch.sock")) answerFor(connection);
  return connection;
}) as unknown as typeof Deno.connect;

function answerFor(connection: Deno.Conn): void {
  const sent = Promise.withResolvers<void>();
  const write = connection.write.bind(connection);
  connection.write = async (bytes) => {
    const written = await write(bytes);
    if (bytes.includes(0x0a)) sent.resolve();
    return written;
  };
  connection.read = async (into) => {
    await sent.promise;
    into.set(ANSWER);
    return ANSWER.length;
  };
}

Socket.prototype.connect = function (this: Socket) {
  const refused = Object.assign(new Error("nobody listens"), { code: "ECONNREFUSED" });
  queueMicrotask(() => this.destroy(refused));
  return this;
} as typeof Socket.prototype.connect;
