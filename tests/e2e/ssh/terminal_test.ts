import assert from "node:assert/strict";
import { makeContext, type Terminal, type TerminalSize } from "../../../lib/context.ts";
import { NidoError } from "../../../lib/errors.ts";
import { connect } from "../../../lib/guest/ssh.ts";
import { startSshd } from "../../helpers/sshd.ts";

/** A person's terminal without the person. */
class TypedTerminal implements Terminal {
  readonly type = "vt100";
  lends = 0;
  isLent = false;
  #size = { columns: 91, rows: 37 };
  #type!: (keys: string) => void;
  #resized!: (size: TerminalSize) => void;

  size = () => this.#size;

  lend(resized: (size: TerminalSize) => void) {
    this.lends++;
    this.isLent = true;
    this.#resized = resized;
    const keys = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#type = (text) => controller.enqueue(new TextEncoder().encode(text));
      },
    });
    return { keys, [Symbol.dispose]: () => void (this.isLent = false) };
  }

  press(keys: string): void {
    this.#type(keys);
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    this.#resized(size);
  }
}

/** What a command wrote, with a way to wait for a part of it. */
class Screen {
  text = "";
  #changed = Promise.withResolvers<void>();

  show = (chunk: Uint8Array) => {
    this.text += new TextDecoder().decode(chunk);
    this.#changed.resolve();
  };

  async until(part: string): Promise<void> {
    while (!this.text.includes(part)) {
      this.#changed = Promise.withResolvers();
      await this.#changed.promise;
    }
  }
}

Deno.test("a command with a terminal", async (t) => {
  await using sshd = await startSshd();
  await using session = await connect(makeContext("/nowhere"), sshd.target, { timeoutMs: 20_000 });
  const start = (script: string, more = {}) => {
    const terminal = new TypedTerminal();
    const screen = new Screen();
    const stderr = () => assert.fail("a terminal has one stream");
    const options = { terminal, stdout: screen.show, stderr, ...more };
    return { terminal, screen, ended: session.exec(["sh", "-c", script], options) };
  };

  await t.step("has its kind and size, one stream, and nothing of the wrapper in it", async () => {
    const script = 'tty -s && echo "$TERM"; echo err >&2; stty size; exit 3';
    const { terminal, screen, ended } = start(script, { cwd: "/" });
    assert.equal((await ended).exitCode, 3);
    assert.equal(screen.text, "vt100\r\nerr\r\n37 91\r\n");
    assert.deepEqual([terminal.lends, terminal.isLent], [1, false]);
  });

  await t.step("gets keys, Ctrl-C as a key, and new sizes", async () => {
    const script = "trap 'echo caught' INT; trap 'stty size' WINCH; stty -echo; echo ready; " +
      'until [ "$line" = q ]; do line=; read -r line; [ -n "$line" ] && echo "<$line>"; done';
    const { terminal, screen, ended } = start(script);
    await screen.until("ready");
    terminal.press("a b\r");
    await screen.until("<a b>\r\n");
    terminal.press("\x03");
    await screen.until("caught\r\n");
    terminal.resize({ columns: 120, rows: 50 });
    await screen.until("50 120\r\n");
    terminal.press("q\r");
    assert.equal((await ended).exitCode, 0);
  });

  await t.step(
    "is given back when the command can't be run, and when it is interrupted",
    async () => {
      const refused = start("true", { cwd: "/no/such" });
      await assert.rejects(refused.ended, {
        code: "not_found",
        message: 'Cannot run "sh -c true" in VM "dev": the folder /no/such can\'t be entered',
      });
      assert.deepEqual([refused.screen.text, refused.terminal.isLent], ["", false]);
      const stop = new AbortController();
      const { terminal, screen, ended } = start("echo on; sleep 100", { signal: stop.signal });
      const failed = ended.then(() => assert.fail("it ended"), (error) => error);
      await screen.until("on");
      assert.equal(terminal.isLent, true);
      stop.abort();
      const error = await failed;
      assert(error instanceof NidoError);
      assert.equal(error.code, "cancelled");
      assert.equal(terminal.isLent, false);
    },
  );
});

Deno.test("a guest that gives no terminal says so", async () => {
  await using sshd = await startSshd(["PermitTTY no"]);
  await using session = await connect(makeContext("/nowhere"), sshd.target, { timeoutMs: 20_000 });
  const terminal = new TypedTerminal();
  await assert.rejects(session.exec(["true"], { terminal }), {
    code: "unavailable",
    message: 'Cannot run "true" in VM "dev": the guest gives it no terminal',
  });
  assert.equal(terminal.lends, 0);
});
