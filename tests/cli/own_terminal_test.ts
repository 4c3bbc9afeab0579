import assert from "node:assert/strict";
import { nido } from "../helpers/command.ts";
import { fromFileUrl } from "../helpers/paths.ts";
import { Pty } from "../helpers/pty.ts";
import { finish } from "../helpers/sshd.ts";

const script = fromFileUrl("./sample_operations.ts");
const ignore = Deno.build.os !== "linux"; // `script` takes other arguments elsewhere

/** Waits for the end and checks that the terminal is as it was. */
async function ended(pty: Pty, status: number): Promise<void> {
  await pty.until(/finished/);
  assert.match(pty.text, new RegExp(`^status ${status}\r?$`, "m"));
  isAsBefore(pty.text.slice(pty.text.lastIndexOf("status ")));
}

function isAsBefore(modes: string): void {
  for (const mode of ["icanon", "isig", "echo", "icrnl", "opost"]) {
    assert.match(modes, new RegExp(`(^|\\s)${mode}\\b`), `${mode} is off: ${modes}`);
  }
}

Deno.test({
  name: "a lent terminal gives every key, Ctrl-C too, and tells of new sizes",
  ignore,
  async fn() {
    await using pty = new Pty(script, "command dev keys");
    const [, device = ""] = await pty.until(/(\/dev\/\S+)/);
    await pty.until(/lent vt100 91x37/);
    const raw = await finish("stty", ["-F", device, "-a"]);
    for (const mode of ["icanon", "isig", "echo"]) assert.match(raw, new RegExp(`-${mode}\\b`));
    await pty.press("a\x03\x1b[A\r");
    await pty.until(/key 61\s+key 3\s+key 1b\s+key 5b\s+key 41\s+key d\s/);
    await finish("stty", ["-F", device, "rows", "50", "cols", "120"]);
    await pty.until(/now 120x50/);
    await pty.press("q");
    await pty.until(/given back/);
    isAsBefore(await finish("stty", ["-F", device, "-a"]));
    await pty.press("\r");
    await ended(pty, 0);
    assert.doesNotMatch(pty.text, /aborted/);
  },
});

Deno.test({
  name: "it is given back after an error, and when the process leaves at once",
  ignore,
  async fn() {
    for (const [key, status] of [["e", 125], ["x", 9]] as const) {
      await using pty = new Pty(script, "command dev keys");
      await pty.until(/lent/);
      await pty.press(key);
      await ended(pty, status);
    }
  },
});

Deno.test("there is no terminal to lend when standard input is none", async () => {
  const { stdout } = await nido(["command", "dev", "keys"], { script });
  assert.equal(stdout, "no terminal\r\ngiven back\n");
});
