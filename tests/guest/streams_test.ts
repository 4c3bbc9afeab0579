import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
// @ts-types="@types/ssh2"
import type { ClientChannel } from "ssh2";
import { drain } from "../../lib/guest/streams.ts";

/** The parts of an SSH channel that output comes through. */
function fakeChannel() {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  return Object.assign(stdout, { stderr, incoming: { window: 1 } });
}

Deno.test("a sink that fails is asked no more, and the other one goes on", async () => {
  const channel = fakeChannel();
  const told = Promise.withResolvers<string>();
  let asked = 0;
  const drained = drain(channel as unknown as ClientChannel, {
    stdout() {
      asked++;
      throw new TypeError("the pipe is closed");
    },
    stderr: (chunk) => told.resolve(new TextDecoder().decode(chunk)),
  });
  channel.write("a");
  await assert.rejects(drained, new TypeError("the pipe is closed"));
  channel.write("b");
  channel.stderr.write("4711");
  assert.equal(await told.promise, "4711");
  assert.equal(asked, 1);
});
