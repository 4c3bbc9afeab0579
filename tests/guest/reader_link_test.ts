import assert from "node:assert/strict";
import { ReaderLink } from "../../lib/guest/reader.ts";
import { freshRenewal } from "../../lib/guest/renewal.ts";
import { type Peer, withUnixServer } from "../helpers/unix_server.ts";

const renewal = freshRenewal(new Date(1500), { growRoot: true });

/** A guest that hears one line and answers it. */
async function withGuest(
  answer: (line: string, peer: Peer) => Promise<void> | void,
  use: (link: ReaderLink) => Promise<void>,
) {
  await withUnixServer({ hear: answer }, async (path) => {
    using link = await ReaderLink.open(path);
    await link.send(renewal);
    await use(link);
  });
}

const says = (text: string) => (_: string, peer: Peer) => peer.send(text);

Deno.test("a fresh renewal has the time in seconds and random bytes of its own", () => {
  const { entropy, ...rest } = renewal;
  assert.deepEqual(rest, { at: 1.5, growRoot: true });
  assert.equal(Uint8Array.fromBase64(entropy).length, 64);
  assert.notEqual(freshRenewal(new Date(), {}).entropy, entropy);
});

Deno.test("a line is sent after a mark, and its answer read later", async () => {
  const heard: string[] = [];
  const answer = async (line: string, peer: Peer) => {
    heard.push(line);
    await peer.send('boot noise\n{"other": 1}\nnull\n{"renewed": true, "problems": []}\n');
  };
  await withGuest(answer, async (link) => {
    assert.deepEqual(await link.answered(5000), { problems: [] });
    assert.deepEqual(heard, [`\x1e${JSON.stringify(renewal)}`]);
  });
});

Deno.test("what a guest says of its problems is bounded and safe to show", async () => {
  const problems = ["\x1b[2Jno\nclock", "x".repeat(5000), ...Array(100).fill("more"), 7];
  const line = JSON.stringify({ renewed: true, problems, quiet: false, evil: "x" });
  await withGuest(says(`${line}\n`), async (link) => {
    const answer = await link.answered(5000);
    assert.deepEqual(Object.keys(answer), ["problems", "quiet"]);
    assert.equal(answer.quiet, false);
    assert.equal(answer.problems.length, 32);
    assert.deepEqual(answer.problems.slice(0, 3), ["no clock", "x".repeat(500), "more"]);
  });
});

Deno.test("a reader that refuses says why", async () => {
  await withGuest(says('{"error": "the line is not JSON: x"}\n'), async (link) => {
    await assert.rejects(link.answered(5000), {
      code: "tool_failed",
      message: "The guest's reader refused what it was sent: the line is not JSON: x",
    });
  });
});

Deno.test("a silent guest is a timeout, and the link is of no more use", async () => {
  await withGuest(() => {}, async (link) => {
    await assert.rejects(link.answered(30), {
      code: "timeout",
      message: "The guest's reader did not answer the host within 30 ms",
    });
    await assert.rejects(link.answered(30), {
      code: "unavailable",
      message: "The guest's reader's connection has ended",
    });
  });
});

Deno.test("a guest that talks without end, or says nothing in many lines, is left", async () => {
  const flood = async (_: string, peer: Peer) => {
    for (;;) await peer.send("x".repeat(1 << 14));
  };
  await withGuest(flood, async (link) => {
    await assert.rejects(link.answered(60_000), {
      code: "integrity",
      message: "The guest's reader's answer is longer than 65536 bytes",
    });
  });
  const chatter = async (_: string, peer: Peer) => {
    for (;;) await peer.send("{}\n".repeat(1000));
  };
  await withGuest(chatter, async (link) => {
    await assert.rejects(link.answered(100), { code: "timeout" });
  });
});

Deno.test("a machine that is not there is unavailable", async () => {
  await assert.rejects(ReaderLink.open("/nowhere/hatch.sock"), {
    code: "unavailable",
    message: "The guest's reader at /nowhere/hatch.sock cannot be reached",
  });
});
