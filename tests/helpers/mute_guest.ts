// Preloaded before main.ts, or imported by a test: machines without a guest system are not waited for.
// Something greets like their SSH server, and refuses whoever comes.
import { Socket } from "node:net";

const connect = Deno.connect as (options: unknown) => Promise<Deno.Conn>;
Deno.connect = ((options: { path?: string }) =>
  options.path ? connect(options) : Promise.resolve({
    read(into: Uint8Array) {
      into.set(new TextEncoder().encode("SSH-"));
      return Promise.resolve(4);
    },
    close() {},
  })) as unknown as typeof Deno.connect;

Socket.prototype.connect = function (this: Socket) {
  const refused = Object.assign(new Error("nobody listens"), { code: "ECONNREFUSED" });
  queueMicrotask(() => this.destroy(refused));
  return this;
} as typeof Socket.prototype.connect;
