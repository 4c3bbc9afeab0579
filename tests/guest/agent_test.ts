import assert from "node:assert/strict";
import { pingAgent, setTimeByAgent, shutDownByAgent, withAgent } from "../../lib/guest/agent.ts";
import { type Peer, withUnixServer } from "../helpers/unix_server.ts";

interface Command {
  execute: string;
  arguments: { id?: number };
}

const json = (message: unknown) => JSON.stringify(message) + "\n";

/** An agent that shakes hands and leaves every other command to `answer`. */
async function withFakeAgent(
  answer: (command: Command, peer: Peer) => Promise<void> | void,
  use: (path: string) => Promise<void>,
  beforeHandshake = "",
) {
  const hear = async (line: string, peer: Peer) => {
    const command: Command = JSON.parse(line.replace("\ufffd", "")); // 0xFF is no UTF-8
    if (command.execute !== "guest-sync-delimited") return await answer(command, peer);
    const reply = new TextEncoder().encode(
      beforeHandshake + "?" + json({ return: command.arguments.id }),
    );
    reply[reply.lastIndexOf("?".charCodeAt(0))] = 0xff;
    await peer.send(reply);
  };
  await withUnixServer({ hear }, use);
}

Deno.test("a command's answer comes back, whatever the guest wrote before it", async () => {
  const junk = 'login: \x1b[2J{"return": 7}\n\n[1]\nnull\n{"return": 8}\nnot json {';
  const answer = async ({ execute }: Command, peer: Peer) =>
    await peer.send(`more junk\n${json({ event: "x" })}${json({ return: { asked: execute } })}`);
  await withFakeAgent(answer, async (path) => {
    const said = await withAgent(path, 1000, async (agent) => [
      await agent.execute("guest-info"),
      await agent.execute("guest-get-osinfo"),
    ]);
    assert.deepEqual(said, [{ asked: "guest-info" }, { asked: "guest-get-osinfo" }]);
  }, junk);
});

Deno.test("the clock is set in nanoseconds since 1970", async () => {
  let told: unknown;
  const answer = async ({ execute, arguments: args }: Command, peer: Peer) => {
    told = { execute, args };
    await peer.send(json({ return: {} }));
  };
  await withFakeAgent(answer, async (path) => {
    await setTimeByAgent(path, new Date("2026-01-01T00:00:00Z"), 1000);
  });
  assert.deepEqual(told, { execute: "guest-set-time", args: { time: 1_767_225_600_000_000_000 } });
});

Deno.test("what the agent refuses is an error with its words", async () => {
  const answer = (_: Command, peer: Peer) =>
    peer.send(json({ error: { class: "CommandNotFound", desc: "it has been disabled" } }));
  await withFakeAgent(answer, async (path) => {
    await assert.rejects(shutDownByAgent(path, 1000), {
      code: "tool_failed",
      message: "The guest agent refused guest-shutdown: it has been disabled",
      details: { command: "guest-shutdown", class: "CommandNotFound" },
    });
  });
});

Deno.test("an agent that begins to listen late is reached by a later attempt", async () => {
  const heard: string[] = [];
  let attempts = 0;
  const hear = async (line: string, peer: Peer) => {
    const command: Command = JSON.parse(line.replace("\ufffd", ""));
    if (command.execute === "guest-ping") return await peer.send(json({ return: {} }));
    heard.push(command.execute);
    if (++attempts > 1) await peer.send(json({ return: command.arguments.id }));
  };
  await withUnixServer({ hear }, async (path) => {
    assert.equal(await pingAgent(path, 1500), true);
    assert.deepEqual(heard, ["guest-sync-delimited", "guest-sync-delimited"]);
  });
});

Deno.test("an agent that never answers is unavailable, not a hang", async () => {
  await withUnixServer({ hear: () => {} }, async (path) => {
    const began = performance.now();
    await assert.rejects(withAgent(path, 150, () => Promise.resolve()), {
      code: "unavailable",
      message: `The guest agent at ${path} did not answer within 150 ms`,
    });
    assert.equal(await pingAgent(path, 50), false);
    assert.ok(performance.now() - began < 5000);
  });
});

Deno.test("an answer to somebody else's handshake is not taken for ours", async () => {
  await withUnixServer({ hear: (_, peer) => peer.send(json({ return: 5 })) }, async (path) => {
    assert.equal(await pingAgent(path, 100), false);
  });
});

Deno.test("a command that is never answered is a timeout, and the connection is of no more use", async () => {
  await withFakeAgent(() => {}, async (path) => {
    await withAgent(path, 1000, async (agent) => {
      await assert.rejects(agent.execute("guest-fsfreeze-freeze", {}, 30), {
        code: "timeout",
        message: "The guest agent did not answer guest-fsfreeze-freeze within 30 ms",
      });
      await assert.rejects(agent.execute("guest-ping"), {
        code: "unavailable",
        message: "The guest agent's connection has ended",
      });
    });
  });
});

Deno.test("a guest that talks without end is cut off", async () => {
  const flood = async (_: Command, peer: Peer) => {
    for (;;) await peer.send(new Uint8Array(1 << 20).fill(0x61));
  };
  await withFakeAgent(flood, async (path) => {
    await assert.rejects(
      withAgent(path, 1000, (agent) => agent.execute("guest-info", {}, 60_000)),
      {
        code: "integrity",
        message: "The guest agent's answer is longer than 16777216 bytes",
      },
    );
  });
});

Deno.test("a guest that writes lines of nothing for ever does not keep us", async () => {
  const chatter = async (_: Command, peer: Peer) => {
    for (;;) await peer.send("{}\n".repeat(1000));
  };
  await withFakeAgent(chatter, async (path) => {
    await assert.rejects(withAgent(path, 1000, (agent) => agent.execute("guest-info", {}, 100)), {
      code: "timeout",
      message: "The guest agent did not answer guest-info within 100 ms",
    });
  });
});

Deno.test("a shutdown is not answered, and a guest that is gone by then did it too", async () => {
  for (const end of [() => {}, (_: Command, peer: Peer) => peer.hangUp()]) {
    const asked: Command[] = [];
    await withFakeAgent((command, peer) => {
      asked.push(command);
      end(command, peer);
    }, async (path) => {
      await shutDownByAgent(path, 1000);
      assert.deepEqual(asked, [{ execute: "guest-shutdown", arguments: { mode: "powerdown" } }]);
    });
  }
});

Deno.test("no socket at all is unavailable", async () => {
  await assert.rejects(withAgent("/nowhere/agent.sock", 100, () => Promise.resolve()), {
    code: "unavailable",
    message: "The guest agent at /nowhere/agent.sock cannot be reached",
  });
});
