import assert from "node:assert/strict";
import { makeContext } from "../../../lib/context.ts";
import { NidoError } from "../../../lib/errors.ts";
import { connect, type SshTarget, waitForBanner } from "../../../lib/guest/ssh.ts";
import { makeKeys } from "../../helpers/hostile_guest.ts";
import { freePort, startSshd } from "../../helpers/sshd.ts";

const context = makeContext("/nowhere");

async function failing(run: Promise<unknown>) {
  const error = await run.then(() => assert.fail("it succeeded"), (thrown) => thrown);
  assert(error instanceof NidoError, `not a NidoError: ${error}`);
  return { code: error.code, message: error.message, hint: error.hint };
}

/** Listens, and does with each connection what a test wants. */
function listen(port: number, serve: (connection: Deno.TcpConn) => Promise<void>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const open = new Set<Deno.TcpConn>();
  const close = (connection: Deno.TcpConn) => {
    if (open.delete(connection)) connection.close();
  };
  const done = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      serve(connection).catch(() => {}).then(() => close(connection));
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of [...open]) close(connection);
      await done;
    },
  };
}

const silent = () => new Promise<void>(() => {});

Deno.test("only the given host key is accepted, and only a known user key", async () => {
  await using sshd = await startSshd();
  const { target } = sshd;
  {
    await using session = await connect(context, target, { timeoutMs: 20_000 });
    assert.equal((await session.exec(["true"])).exitCode, 0);
  }
  const flipped = target.hostKey.replace(/.(?= *$| *\n)/, (last) => last === "A" ? "B" : "A");
  assert.deepEqual(
    await failing(connect(context, { ...target, hostKey: flipped }, { timeoutMs: 20_000 })),
    {
      code: "integrity",
      message: 'Cannot reach VM "dev": its host key is not the one that Nido gave it',
      hint: "nido logs dev",
    },
  );
  const another = `ssh-rsa ${target.hostKey.split(" ")[1]}`;
  assert.deepEqual(
    await failing(connect(context, { ...target, hostKey: another }, { timeoutMs: 20_000 })),
    {
      code: "integrity",
      message: 'Cannot reach VM "dev": its host key is not the one that Nido gave it',
      hint: "nido logs dev",
    },
  );
  const stranger: SshTarget = { ...target, privateKey: sshd.otherKey };
  assert.deepEqual(await failing(connect(context, stranger, { timeoutMs: 20_000 })), {
    code: "denied",
    message: `Cannot reach VM "dev": it refused the key of user ${target.user}`,
    hint: "nido logs dev",
  });
});

Deno.test("a port where nobody listens, one that is silent, and one that hangs up", async () => {
  const port = freePort();
  const target: SshTarget = {
    name: "dev",
    host: "127.0.0.1",
    port,
    user: "nido",
    privateKey: makeKeys().private,
    hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  };
  const spoilt = { ...target, privateKey: "-----BEGIN NONSENSE" };
  assert.deepEqual(await failing(connect(context, spoilt, { timeoutMs: 5000 })), {
    code: "integrity",
    message: 'Cannot reach VM "dev": the private key for it can\'t be read',
    hint: "nido doctor",
  });
  assert.deepEqual(await failing(connect(context, target, { timeoutMs: 5000 })), {
    code: "unavailable",
    message: `Cannot reach VM "dev": nothing listens on 127.0.0.1:${port}`,
    hint: "nido info dev",
  });
  {
    await using _server = listen(port, silent);
    assert.deepEqual(await failing(connect(context, target, { timeoutMs: 100 })), {
      code: "timeout",
      message: 'Cannot reach VM "dev": SSH did not answer within 100 ms',
      hint: "nido logs dev",
    });
    const controller = new AbortController();
    const cancelled = connect({ ...context, signal: controller.signal }, target, {
      timeoutMs: 5000,
    });
    controller.abort();
    await assert.rejects(cancelled, { name: "AbortError" });
  }
  await using _server = listen(port, () => Promise.resolve());
  assert.deepEqual(await failing(connect(context, target, { timeoutMs: 5000 })), {
    code: "unavailable",
    message: 'Cannot reach VM "dev": it ended the connection during login',
    hint: "nido logs dev",
  });
});

Deno.test("waiting for the banner goes on through refusals, silence and hang-ups", async () => {
  const port = freePort();
  const waiting = waitForBanner(port, context.signal, {
    name: "dev",
    timeoutMs: 20_000,
    everyMs: 20,
  });
  let seen = 0;
  await using _server = listen(port, async (connection) => {
    seen++;
    if (seen % 3 === 1) return;
    if (seen < 6) return await silent();
    await connection.write(new TextEncoder().encode("SS"));
    await connection.write(new TextEncoder().encode("H-2.0-x\r\n"));
  });
  await waiting;
  assert(seen >= 6);
});

Deno.test("waiting for the banner ends at its deadline or when cancelled", async () => {
  await using server = listen(0, silent);
  const { signal } = context;
  assert.deepEqual(
    await failing(waitForBanner(server.port, signal, { name: "dev", timeoutMs: 120, everyMs: 10 })),
    {
      code: "timeout",
      message: 'Cannot reach VM "dev": SSH did not answer within 120 ms',
      hint: "nido logs dev",
    },
  );
  const controller = new AbortController();
  const waiting = waitForBanner(server.port, controller.signal, { name: "dev", timeoutMs: 60_000 });
  controller.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  await using chatty = listen(0, async (connection) => {
    await connection.write(new TextEncoder().encode("HTTP/1.1 400\r\n"));
  });
  const web = waitForBanner(chatty.port, signal, { name: "dev", timeoutMs: 120, everyMs: 10 });
  assert.equal((await failing(web)).code, "timeout");
});
