import assert from "node:assert/strict";
import { type Connection, IdleConnections } from "../lib/idle_connections.ts";

class Line implements Connection {
  readonly #gone = Promise.withResolvers<void>();
  readonly closed = this.#gone.promise;
  isClosed = false;

  close(): Promise<void> {
    this.isClosed = true;
    this.#gone.resolve();
    return this.closed;
  }
}

Deno.test("what was left last is taken first, by one caller alone and under its own name", async () => {
  await using idle = new IdleConnections();
  const [first, second] = [new Line(), new Line()];
  await idle.leave("web", first);
  await idle.leave("web", second);
  assert.equal(idle.take("db"), undefined);
  assert.equal(idle.take("web"), second);
  assert.equal(idle.take("web"), first);
  assert.equal(idle.take("web"), undefined);
  assert.deepEqual([first.isClosed, second.isClosed], [false, false]);
});

Deno.test("what ended by itself is not taken", async () => {
  await using idle = new IdleConnections();
  const line = new Line();
  await idle.leave("web", line);
  await line.close();
  assert.equal(idle.take("web"), undefined);
});

Deno.test("what nobody takes in time is closed", async () => {
  await using idle = new IdleConnections(1);
  const line = new Line();
  // An idle connection keeps no program alive, so something else has to.
  const alive = setInterval(() => {}, 1000);
  await idle.leave("web", line);
  await line.closed;
  clearInterval(alive);
  assert.equal(idle.take("web"), undefined);
});

Deno.test("no more than four are kept under a name", async () => {
  await using idle = new IdleConnections();
  const lines = Array.from({ length: 5 }, () => new Line());
  for (const line of lines) await idle.leave("web", line);
  assert.deepEqual(lines.map(({ isClosed }) => isClosed), [false, false, false, false, true]);
});

Deno.test("at the end all are closed, and so is what is left later", async () => {
  const idle = new IdleConnections();
  const [kept, late] = [new Line(), new Line()];
  await idle.leave("web", kept);
  await idle[Symbol.asyncDispose]();
  await idle.leave("web", late);
  assert.deepEqual([kept.isClosed, late.isClosed], [true, true]);
  assert.equal(idle.take("web"), undefined);
});
