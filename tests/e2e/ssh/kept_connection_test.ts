import assert from "node:assert/strict";
import { makeContext } from "../../../lib/context.ts";
import { connect, type SshSession } from "../../../lib/guest/ssh.ts";
import { IdleConnections } from "../../../lib/idle_connections.ts";
import { startSshd } from "../../helpers/sshd.ts";

Deno.test("a connection is left to the next call", async (t) => {
  await using sshd = await startSshd();
  await using idle = new IdleConnections();
  const context = makeContext("/nowhere", { idle });
  const open = (keepAs?: string, signal = context.signal) =>
    connect({ ...context, signal }, sshd.target, { timeoutMs: 20_000, keepAs });
  /** The port from which the guest sees a command come: another connection has another. */
  const port = async (session: SshSession): Promise<string> => {
    let said = "";
    await session.exec(["sh", "-c", "echo $SSH_CONNECTION"], {
      stdout: (chunk) => void (said += new TextDecoder().decode(chunk)),
    });
    return said.split(" ")[1]!;
  };
  const once = async (keepAs?: string) => {
    await using session = await open(keepAs);
    return await port(session);
  };

  await t.step("which has the same name", async () => {
    const first = await once("a");
    assert.equal(await once("a"), first);
    assert.notEqual(await once("b"), first);
    assert.notEqual(await once(), first);
    assert.equal(await once("a"), first);
  });

  await t.step("two calls at once have one each", async () => {
    await using one = await open("a");
    await using other = await open("a");
    assert.notEqual(await port(one), await port(other));
  });

  await t.step("not after a command that was cut short, and not after copies", async () => {
    const first = await once("c");
    {
      await using session = await open("c");
      const cut = session.exec(["sleep", "600"], { timeoutMs: 300 });
      await assert.rejects(cut, { code: "timeout" });
    }
    const second = await once("c");
    assert.notEqual(second, first);
    {
      await using session = await open("c");
      await session.sftp();
    }
    assert.notEqual(await once("c"), second);
  });

  await t.step("a signal of the call that opened it says nothing to the next", async () => {
    const opener = new AbortController();
    {
      await using session = await open("d", opener.signal);
      await session.exec(["true"]);
    }
    opener.abort();
    await once("d");
    const next = new AbortController();
    await using session = await open("d", next.signal);
    const running = session.exec(["sleep", "600"]);
    next.abort();
    await assert.rejects(running, { code: "cancelled" });
  });

  await t.step("not when the guest has ended it", async () => {
    let server = "";
    {
      await using session = await open("e");
      await session.exec(["sh", "-c", "echo $PPID"], {
        stdout: (chunk) => void (server += new TextDecoder().decode(chunk)),
      });
    }
    const left = idle.take("e")!;
    await idle.leave("e", left);
    Deno.kill(Number(server), "SIGKILL");
    await left.closed;
    assert.equal(idle.take("e"), undefined);
    await once("e");
  });
});
