import assert from "node:assert/strict";
import { Qmp } from "../../lib/qemu/qmp.ts";
import { type Peer, withUnixServer } from "../helpers/unix_server.ts";

const GREETING = { QMP: { version: {}, capabilities: [] } };

/** A monitor that answers each command as told. */
async function withMonitor(
  answer: (command: { execute: string; id: number }) => unknown[],
  use: (path: string) => Promise<void>,
  greeting: unknown[] = [GREETING],
) {
  const text = (messages: unknown[]) =>
    messages.map((message) => JSON.stringify(message) + "\r\n").join("");
  const hear = async (line: string, peer: Peer) => {
    const command = JSON.parse(line);
    const replies = command.execute === "qmp_capabilities"
      ? [{ return: {}, id: command.id }]
      : answer(command);
    if (replies[0] === "hang up") peer.hangUp();
    else await peer.send(text(replies));
  };
  await withUnixServer({ greet: (peer) => peer.send(text(greeting)), hear }, use);
}

Deno.test("answers reach the command that asked, events come in between", async () => {
  const answer = ({ execute, id }: { execute: string; id: number }) => [
    { event: "STOP", timestamp: {} },
    { return: { asked: execute }, id },
  ];
  await withMonitor(answer, async (path) => {
    await using qmp = await Qmp.connect(path);
    const stopped = qmp.waitFor(({ event }) => event === "STOP", 1000);
    const [one, two] = await Promise.all([qmp.execute("one"), qmp.execute("two")]);
    assert.deepEqual([one, two], [{ asked: "one" }, { asked: "two" }]);
    assert.equal((await stopped)?.event, "STOP");
    assert.equal(await qmp.waitFor(({ event }) => event === "RESUME", 10), undefined);
  });
});

Deno.test("what QEMU refuses is an error with its words", async () => {
  const answer = (
    { id }: { id: number },
  ) => [{ error: { class: "GenericError", desc: "no such disk" }, id }];
  await withMonitor(answer, async (path) => {
    await using qmp = await Qmp.connect(path);
    await assert.rejects(qmp.execute("eject"), {
      code: "tool_failed",
      message: "QEMU refused eject: no such disk",
    });
  });
});

Deno.test("a monitor that somebody else holds is a timeout, not a hang", async () => {
  await withMonitor(() => [], async (path) => {
    await assert.rejects(Qmp.connect(path, 50), {
      code: "timeout",
      message: `QEMU's monitor ${path} said nothing within 50 ms`,
    });
  }, []);
});

Deno.test("a command that is never answered is a timeout", async () => {
  await withMonitor(() => [], async (path) => {
    await using qmp = await Qmp.connect(path);
    await assert.rejects(qmp.execute("query-status", {}, 30), {
      code: "timeout",
      message: "QEMU did not answer query-status within 30 ms",
    });
  });
});

Deno.test("QEMU's end fails what waits, and what comes after", async () => {
  await withMonitor(() => ["hang up"], async (path) => {
    await using qmp = await Qmp.connect(path);
    await assert.rejects(qmp.execute("quit"), {
      code: "tool_failed",
      message: "QEMU refused quit: QEMU ended",
    });
    await qmp.ended;
    await assert.rejects(qmp.execute("cont"), {
      code: "unavailable",
      message: "Cannot run cont: QEMU has ended",
    });
  });
});

Deno.test("no monitor at all is unavailable", async () => {
  await assert.rejects(Qmp.connect("/nowhere/qmp.sock"), {
    code: "unavailable",
    message: "QEMU's monitor /nowhere/qmp.sock cannot be reached",
  });
});
