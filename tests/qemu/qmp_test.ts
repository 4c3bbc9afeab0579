import assert from "node:assert/strict";
import { Qmp } from "../../lib/qemu/qmp.ts";

const GREETING = { QMP: { version: {}, capabilities: [] } };

/** A monitor that answers each command as told; `lines` are sent as they are. */
async function withMonitor(
  answer: (command: { execute: string; id: number }) => unknown[],
  use: (path: string) => Promise<void>,
  greeting: unknown[] = [GREETING],
) {
  const folder = await Deno.makeTempDir({ prefix: "nido-qmp-" });
  const path = `${folder}/qmp.sock`;
  const listener = Deno.listen({ transport: "unix", path });
  const open: Deno.UnixConn[] = [];
  const serve = async (connection: Deno.UnixConn) => {
    const send = async (messages: unknown[]) => {
      const text = messages.map((message) => JSON.stringify(message) + "\r\n").join("");
      // In two pieces, to show that a message may be cut anywhere.
      const bytes = new TextEncoder().encode(text);
      await connection.write(bytes.subarray(0, 7));
      if (bytes.length > 7) await connection.write(bytes.subarray(7));
    };
    if (greeting.length) await send(greeting);
    const lines = connection.readable.pipeThrough(new TextDecoderStream());
    for await (const text of lines) {
      for (const line of text.trim().split("\n")) {
        const command = JSON.parse(line);
        const replies = command.execute === "qmp_capabilities"
          ? [{ return: {}, id: command.id }]
          : answer(command);
        if (replies[0] === "hang up") return connection.close();
        await send(replies);
      }
    }
  };
  const serving = (async () => {
    for await (const connection of listener) {
      open.push(connection);
      serve(connection).catch(() => {}); // the test closed the connection
    }
  })();
  try {
    await use(path);
  } finally {
    listener.close();
    for (const connection of open) {
      try {
        connection.close();
      } catch { /* closed already */ }
    }
    await serving;
    await Deno.remove(folder, { recursive: true });
  }
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
