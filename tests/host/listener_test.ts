import assert from "node:assert/strict";
import { listenerOn } from "../../lib/host/listener.ts";

const LISTEN_AND_FORK = `
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
if os.fork():
  print(listener.getsockname()[1], flush=True)
sys.stdin.read()`;

Deno.test("who listens is told by its parent, not by a child that shares the socket", async () => {
  await using server = new Deno.Command("python3", {
    args: ["-c", LISTEN_AND_FORK],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const { value } = await server.stdout.getReader().read();
  const port = Number(new TextDecoder().decode(value));
  assert.equal(await listenerOn(port, "tcp"), `python3 (pid ${server.pid})`);
  await server.stdin.close();
});
