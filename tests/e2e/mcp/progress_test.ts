import assert from "node:assert/strict";
import { type Extra, ProgressTeller } from "../../../mcp/progress.ts";
import { nest } from "../../helpers/nest.ts";
import { connect } from "../../mcp/client.ts";

const MOST_MS = 5000;

/** A clock whose beats and time a test moves by hand. */
class Clock implements Disposable {
  readonly #setInterval = globalThis.setInterval;
  readonly #clearInterval = globalThis.clearInterval;
  readonly #now = performance.now;
  readonly beats = new Map<number, { ms: number; beat: () => void }>();
  ms = 0;

  constructor() {
    globalThis.setInterval = ((beat: () => void, ms: number) => {
      this.beats.set(this.beats.size + 1, { ms, beat });
      return this.beats.size;
    }) as unknown as typeof setInterval;
    globalThis.clearInterval = (id) => void this.beats.delete(Number(id));
    performance.now = () => this.ms;
  }

  pass(ms: number): void {
    const until = this.ms + ms;
    const [one] = this.beats.values();
    while (one && this.ms + one.ms <= until) {
      this.ms += one.ms;
      one.beat();
    }
    this.ms = until;
  }

  [Symbol.dispose](): void {
    globalThis.setInterval = this.#setInterval;
    globalThis.clearInterval = this.#clearInterval;
    performance.now = this.#now;
  }
}

/** What the SDK would hand over, and the notifications that are sent by it. */
function call(progressToken?: string | number, send = () => Promise.resolve()) {
  const told: { progressToken: unknown; progress: number; message: string }[] = [];
  const extra = {
    _meta: { progressToken },
    sendNotification({ method, params }: { method: string; params: typeof told[number] }) {
      assert.equal(method, "notifications/progress");
      told.push(params);
      return send();
    },
  };
  return { extra: extra as unknown as Extra, told };
}

Deno.test("with a token a silent call is told of at least every five seconds, until it ends", () => {
  using clock = new Clock();
  const { extra, told } = call("mine");
  {
    using _teller = new ProgressTeller(extra);
    assert.deepEqual(told, []);
    const [beat] = clock.beats.values();
    assert.ok(beat && beat.ms <= MOST_MS, `it beats every ${beat?.ms} ms`);
    clock.pass(48_000);
    assert.ok(told.length >= 9, `${told.length}`);
    assert.deepEqual(told[1], {
      progressToken: "mine",
      progress: 2,
      message: "begin: working, 10 s",
    });
  }
  assert.equal(clock.beats.size, 0, "its clock is stopped");
});

Deno.test("a beat tells the last that was reported, and the number grows", () => {
  using clock = new Clock();
  const { extra, told } = call(0);
  using teller = new ProgressTeller(extra, 1000);
  teller.report({ stage: "disk", message: "copying", done: 1, total: 3 });
  clock.pass(2000);
  assert.deepEqual(told, [
    { progressToken: 0, progress: 1, message: "disk: copying (33 %), 0 s" },
    { progressToken: 0, progress: 2, message: "disk: copying (33 %), 1 s" },
    { progressToken: 0, progress: 3, message: "disk: copying (33 %), 2 s" },
  ]);
});

Deno.test("a new stage is told at once, the same one only so often", () => {
  using clock = new Clock();
  const { extra, told } = call("mine");
  using teller = new ProgressTeller(extra);
  for (let done = 0; done < 1000; done++) teller.report({ stage: "disk", message: `${done}` });
  teller.report({ stage: "boot", message: "booting" });
  assert.deepEqual(told.map(({ message }) => message), ["disk: 0, 0 s", "boot: booting, 0 s"]);
  clock.pass(251);
  teller.report({ stage: "boot", message: "on" });
  assert.equal(told.at(-1)?.message, "boot: on, 0 s");
});

Deno.test("without a token nothing is told, and no clock runs", () => {
  using clock = new Clock();
  const { extra, told } = call();
  using teller = new ProgressTeller(extra);
  teller.report({ stage: "disk", message: "copying" });
  clock.pass(60_000);
  assert.deepEqual([told, clock.beats.size], [[], 0]);
});

Deno.test("a client that has gone fails no call by it", async () => {
  const { extra, told } = call("mine", () => Promise.reject(new Error("gone")));
  using teller = new ProgressTeller(extra);
  teller.report({ stage: "disk", message: "copying" });
  await new Promise((resolve) => setTimeout(resolve, 0)); // a rejection nobody takes would be heard
  assert.equal(told.length, 1);
});

Deno.test("over the protocol: only what was asked for is told", async () => {
  await using made = await nest();
  await using mcp = await connect({ home: made.home });
  const notes: unknown[] = [];
  mcp.client.fallbackNotificationHandler = (note) => (notes.push(note), Promise.resolve());
  await mcp.data("vm_spawn", { name: "one", wait: "none" });
  assert.deepEqual(notes, []);
});
