import { dirname, join } from "node:path";
import { syncFolder } from "../../store/record.ts";

/** The lines between which the installers write into a shell's start-up file. */
const BEGIN = "# >>> nido >>>";
const END = "# <<< nido <<<";

/** Looks up a variable of the environment. */
export type Env = (name: string) => string | undefined;

/** The start-up files of shells into which the installers may have written. */
export function profilesOf(env: Env): string[] {
  const user = env("USERPROFILE");
  const windows = ["PowerShell", "WindowsPowerShell"];
  if (user) return windows.map((folder) => join(user, "Documents", folder, "profile.ps1"));
  const home = env("HOME");
  if (!home) return [];
  return [
    ...[".bashrc", ".bash_profile", ".profile"].map((name) => join(home, name)),
    join(env("ZDOTDIR") || home, ".zshrc"),
    join(env("XDG_CONFIG_HOME") || join(home, ".config"), "fish", "conf.d", "nido.fish"),
  ];
}

/** Where the installers put the completions of each shell. */
export function completionsOf(env: Env): string[] {
  const home = env("HOME");
  if (!home) return [];
  const data = env("XDG_DATA_HOME") || join(home, ".local", "share");
  const config = env("XDG_CONFIG_HOME") || join(home, ".config");
  return [
    join(data, "bash-completion", "completions", "nido"),
    join(data, "zsh", "site-functions", "_nido"),
    join(config, "fish", "completions", "nido.fish"),
  ];
}

/** Whether a file is a completion script of Nido's, and not somebody's own in its place. */
export async function isCompletion(path: string): Promise<boolean> {
  return /^# (bash|zsh|fish) completion for nido\b/m.test(await readIfThere(path) ?? "");
}

/** Whether the installers wrote into a start-up file, whole lines between both marks. */
export async function isMarked(path: string): Promise<boolean> {
  const text = await readIfThere(path);
  return text !== undefined && withoutBlock(text) !== text;
}

/** Takes the installers' lines out of a start-up file; one that holds nothing else is removed. */
export async function unmark(path: string): Promise<void> {
  const real = await Deno.realPath(path); // it may be a link into a folder of such files
  const rest = withoutBlock(await Deno.readTextFile(real));
  if (rest === "") return await Deno.remove(path);
  const { mode } = await Deno.stat(real);
  const temporary = `${real}.nido`;
  await Deno.writeTextFile(temporary, rest, { mode: mode ?? 0o644 });
  await Deno.rename(temporary, real);
  await syncFolder(dirname(real));
}

function withoutBlock(text: string): string {
  const lines = text.split("\n");
  const [begin, end] = [lines.indexOf(BEGIN), lines.indexOf(END)];
  if (begin < 0 || end < begin) return text;
  return lines.toSpliced(begin, end - begin + 1).join("\n");
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return;
    throw error;
  }
}
