/** Why shell texts can't be checked here; undefined where they can. */
export const noShellcheck: string | undefined = await isHere()
  ? undefined
  : "shellcheck is not installed; scripts/test.sh brings it";

/** What shellcheck finds in a shell text. */
export async function shellcheck(shell: "bash" | "sh", script: string): Promise<string> {
  const child = new Deno.Command("shellcheck", {
    args: [`--shell=${shell}`, "--format=gcc", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout);
}

async function isHere(): Promise<boolean> {
  try {
    return (await new Deno.Command("shellcheck", { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}
