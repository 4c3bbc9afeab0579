import assert from "node:assert/strict";
import { fromFileUrl } from "../helpers/paths.ts";

const script = fromFileUrl("./sample_operations.ts");
const hasTerminal = await new Deno.Command("script", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

/** What a command draws on a real terminal (by util-linux's `script`). */
async function drawn(args: string[], env: Record<string, string> = {}): Promise<string> {
  const line = [Deno.execPath(), "run", "-A", script, ...args].map((word) => `'${word}'`).join(" ");
  const { stdout } = await new Deno.Command("script", {
    args: ["-qec", line, "/dev/null"],
    env: { NO_COLOR: "", TERM: "xterm", ...env },
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout).replaceAll("\x1b", "ESC");
}

Deno.test({
  name: "on a terminal progress is one line that is gone afterwards",
  ignore: !hasTerminal,
  fn: async () => {
    const text = await drawn(["command", "dev", "report"]);
    assert.doesNotMatch(text, /boot: two/); // it came too soon to be drawn
    assert.match(text, /ESC\[36m›ESC\[0m boot: oneESC\[2m {2}.* msESC\[0m\rESC\[K/);
    assert.match(text, /ready: three █████░{15} 25%ESC\[2m {2}.*\rESC\[K$/);
    assert.doesNotMatch(text, /\n/);
  },
});

Deno.test({
  name: "errors are coloured on a terminal, and plain with NO_COLOR",
  ignore: !hasTerminal,
  fn: async () => {
    assert.match(
      await drawn(["command", "dev", "fail"]),
      /^ESC\[31merror:ESC\[0m Cannot reach it/,
    );
    assert.match(
      await drawn(["command", "dev", "fail"], { NO_COLOR: "1" }),
      /^error: Cannot reach it/,
    );
  },
});
