import assert from "node:assert/strict";
import { join } from "node:path";
import { nido, withHome } from "../../helpers/command.ts";
import { nidoWords } from "../../helpers/command.ts";

/** How each shell is asked what it offers: `ask` takes the words of a line after `nido`. */
const SHELLS: Record<string, { flags: string[]; ask: string }> = {
  bash: {
    flags: ["--norc"],
    ask: `source <(nido completion bash)
complete -p nido > /dev/null || exit 1
compopt() { :; } # it works only while bash itself completes
ask() {
  COMP_WORDS=(nido "$@") COMP_CWORD=$#
  __nido_complete
  printf '%s\\n' "\${COMPREPLY[@]}"
}`,
  },
  zsh: {
    flags: ["-f"],
    ask: `compdef() { : }
_describe() { print -l -- \${completions%%:*} }
source <(nido completion zsh)
ask() {
  words=(nido "$@") CURRENT=$(( $# + 1 ))
  _nido
}`,
  },
  fish: {
    flags: ["--no-config"],
    ask: `nido completion fish | source
function ask
  complete --do-complete "nido $argv"
end`,
  },
};

/** What a shell offers for each line, with the real script and the real command behind it. */
async function offers(shell: string, home: string, lines: string[]): Promise<string[][]> {
  const bin = join(home, "bin");
  await Deno.mkdir(bin);
  const words = nidoWords().map((word) => `'${word}'`).join(" ");
  const wrapper = `#!/bin/sh\nexec ${words} "$@"\n`;
  await Deno.writeTextFile(join(bin, "nido"), wrapper, { mode: 0o755 });
  const { flags, ask } = SHELLS[shell]!;
  const asked = lines.map((line) => `ask ${line}\necho @@`);
  const path = `${bin}:${Deno.env.get("PATH")}`;
  const { stdout, stderr } = await new Deno.Command(shell, {
    args: [...flags, "-c", [ask, ...asked].join("\n")],
    env: { NIDO_HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, PATH: path },
    cwd: home,
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  const answers = new TextDecoder().decode(stdout).split("@@\n").slice(0, -1);
  return answers.map((answer) =>
    answer.split("\n").map((line) => line.split("\t")[0]!.trim()).filter((word) => word !== "")
      .sort()
  );
}

async function has(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

for (const shell of Object.keys(SHELLS)) {
  Deno.test({
    name: `${shell} completes commands, flags, choices and names`,
    ignore: !await has(shell),
    fn: () =>
      withHome(async (home) => {
        for (const name of ["dev", "dusk", "web"]) {
          await Deno.mkdir(join(home, "vms", name), { recursive: true });
        }
        const lines: Record<string, string[]> = {
          "config ''": ["get", "list", "set"],
          "perm": ["permissions"],
          "config set --un": ["--unset"],
          "completion f": ["fish"],
          "ssh d": ["dev", "dusk"],
        };
        const answers = await offers(shell, home, Object.keys(lines));
        assert.deepEqual(answers, Object.values(lines));
      }),
  });
}

Deno.test("where a file is wanted the shell offers its own", async () => {
  assert.equal((await nido(["complete", "--", "cp", ""])).stdout, ":0\n");
});

Deno.test("words that name nothing are no error", async () => {
  const { code, stdout } = await nido(["complete", "--", "nothing", "such", ""]);
  assert.deepEqual([code, stdout], [0, ":4\n"]);
});

Deno.test("every shell has a script; others are refused", async () => {
  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    const { code, stdout } = await nido(["completion", shell]);
    assert.equal(code, 0);
    assert.match(stdout, /nido complete/);
  }
  const { code, stderr } = await nido(["completion", "tcsh"]);
  assert.deepEqual([code, stderr], [
    2,
    "error: Cannot run completion: expected bash, zsh, fish, powershell\n  try: nido completion bash\n",
  ]);
});
