import assert from "node:assert/strict";
import { commandLine, quote, shown } from "../../lib/guest/shell_words.ts";

const NASTY = [
  "",
  " ",
  "a b",
  "it's",
  "''",
  "'; touch /tmp/owned; '",
  '"',
  "\\",
  "\\'",
  "$HOME",
  "$(id)",
  "`id`",
  "!!",
  "*",
  "~",
  "-n",
  "--",
  "#",
  "a=b",
  "line\nbreak",
  "\n",
  "tab\there",
  "\r",
  "\x01\x1b[31m\x7f",
  "ünïcødé 🐦",
  "{a,b}",
  ";|&<>()",
];

async function shell(program: string, line: string): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args: ["-c", line], stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout);
}

Deno.test("quoted words come back from a real shell as they were", async () => {
  for (const program of ["sh", "bash"]) {
    const line = `printf '%s\\001' ${
      NASTY.filter((word) => !word.includes("\x01")).map(quote).join(" ")
    }`;
    const back = (await shell(program, line)).split("\x01").slice(0, -1);
    assert.deepEqual(back, NASTY.filter((word) => !word.includes("\x01")));
    assert.equal(await shell(program, `printf %s ${quote("\x01\x1b")}`), "\x01\x1b");
  }
});

Deno.test("what a shell can't carry is refused", () => {
  assert.throws(() => quote("a\0b"), {
    code: "invalid_input",
    message: 'Cannot pass "a\\u0000b": it holds a NUL',
  });
  assert.throws(() => quote("\ud800"), {
    code: "invalid_input",
    message: 'Cannot pass "\\ud800": it is not Unicode',
  });
});

Deno.test("commands that can't be run are refused before anything is sent", () => {
  const line = (command: string[], env = {}) => () => commandLine(command, { env }, "t");
  assert.throws(line([]), {
    code: "invalid_input",
    message: "Cannot run a command: none was given",
  });
  assert.throws(line([""]), { message: "Cannot run a command: none was given" });
  assert.throws(line(["-rf", "/"]), {
    code: "invalid_input",
    message: "Cannot run \"-rf /\": a program's name can't begin with a dash",
  });
  assert.throws(line(["echo", "x".repeat(131_072)]), {
    code: "invalid_input",
    message: `Cannot run "${`echo ${"x".repeat(60)}`.slice(0, 57)}...": ` +
      "the command line is longer than 128 KiB",
  });
  for (const name of ["", "1A", "A B", "A=B", "A;id", "É", "A\n"]) {
    assert.throws(line(["env"], { [name]: "x" }), {
      code: "invalid_input",
      message: `Cannot set the variable ${JSON.stringify(name)}: ` +
        "a name has letters, digits and _ only",
    });
  }
});

Deno.test("the line for another user goes through sudo, folder and variables inside it", () => {
  assert.equal(
    commandLine(["id", "-un"], { asUser: "root", cwd: "/srv", env: { A: "b c" } }, "t"),
    "echo t $$ >&2; command -v sudo >/dev/null 2>&1 || { echo t nosudo >&2; exit 125; }; " +
      "id -u root >/dev/null 2>&1 || { echo t nouser >&2; exit 125; }; " +
      "exec sudo -n -H -u root -- sh -c " +
      quote(
        "echo t as >&2; cd 2>/dev/null || cd /; cd /srv 2>/dev/null || { echo t out >&2; exit 125; }; echo t in >&2; " +
          "export A='b c'; exec id -un",
      ),
  );
});

Deno.test("a user that would be an option, a number or several words is refused", () => {
  for (const user of ["", "-s", "#0", "0", "a b", "a;id", "root\n", "é", "x".repeat(33)]) {
    assert.throws(() => commandLine(["id"], { asUser: user }, "t"), {
      code: "invalid_input",
      message: `Cannot run a command as ${JSON.stringify(user)}: a user's name has letters, ` +
        "digits and . _ - only, and starts with a letter or _",
    });
  }
});

Deno.test("a command is shown on one short line without control characters", () => {
  assert.equal(shown(["sh", "-c", "a\nb\x1b[31m"]), "sh -c a b [31m");
  assert.equal(shown(["x".repeat(100)]), `${"x".repeat(57)}...`);
});
