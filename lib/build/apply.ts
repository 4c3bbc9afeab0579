import { resolve } from "node:path";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { uploadTo } from "../guest/copy.ts";
import type { SshSession } from "../guest/ssh.ts";
import type { CustomizeRecipe } from "../recipe/recipe.ts";
import { writeFileIn } from "../vm/write_file.ts";
import { LastLines } from "./last_lines.ts";

type File = CustomizeRecipe["files"][number];
type Script = CustomizeRecipe["scripts"][number];

const KEPT_LINES = 20;
const FOLDER = "/var/tmp/nido-build";
const OPEN_FOLDER = `mkdir -p ${FOLDER} && chmod 700 ${FOLDER} && chown "$1" ${FOLDER}`;

// What was uploaded as the login user becomes root's before it takes its place, so that nothing that
// stands there already changes hands.
const PLACE = `set -eu
from=$1 to=$2 mode=$3
chown -Rh 0:0 "$from"
case $to in */*) mkdir -p "\${to%/*}/" ;; esac
if [ -d "$from" ] && [ ! -L "$from" ]; then mkdir -p "$to" && cp -Rp "$from/." "$to/"
else cp -p "$from" "$to"; fi
[ -z "$mode" ] || chmod "$mode" "$to"
rm -rf "$from"`;

/** Refuses a recipe that names a file or folder of this host that is not there. */
export async function checkSources(recipe: CustomizeRecipe, doing: string): Promise<void> {
  for (const { source } of [...recipe.files, ...recipe.scripts]) {
    if (source === undefined) continue;
    const path = sourceOf({ doing, folder: recipe.folder }, source);
    if (await Deno.stat(path).catch(() => undefined)) continue;
    const fact = `there is no ${path}, which its recipe names`;
    throw new NidoError("not_found", `Cannot ${doing}: ${fact}`, { details: { path } });
  }
}

/** Puts a recipe's files into a guest and runs its scripts there, as root. */
export async function applyRecipe(
  context: Context,
  session: SshSession,
  recipe: CustomizeRecipe,
  doing: string,
): Promise<void> {
  const at = { context, session, doing, folder: recipe.folder };
  await runAsRoot(at, ["sh", "-c", OPEN_FOLDER, "sh", session.user]);
  for (const file of recipe.files) {
    context.report({ stage: "files", message: `writing ${file.path}` });
    await put(at, file);
  }
  for (const [index, script] of recipe.scripts.entries()) {
    await runScript(at, script, index + 1, recipe.timeoutSeconds);
  }
  await runAsRoot(at, ["rm", "-rf", FOLDER]);
}

interface Place {
  context: Context;
  session: SshSession;
  doing: string;
  folder?: string;
}

async function put(at: Place, { path, content, source, mode }: File): Promise<void> {
  const { context, session } = at;
  if (content !== undefined) {
    const how = { encoding: "text", append: false, makeFolders: true, user: "root" } as const;
    await writeFileIn(context, session, { path, content, mode, ...how });
    return;
  }
  const sent = `${FOLDER}/sent`;
  await uploadTo(session, sourceOf(at, source!), sent, context);
  await runAsRoot(at, ["sh", "-c", PLACE, "sh", sent, path.replace(/(.)\/+$/, "$1"), mode ?? ""]);
}

function sourceOf({ doing, folder }: Pick<Place, "doing" | "folder">, source: string): string {
  if (folder !== undefined) return resolve(folder, source);
  throw new NidoError("invalid_input", `Cannot ${doing}: its recipe has no folder for ${source}`);
}

/** One without a first line of its own is run by `sh -e`. */
async function runScript(
  at: Place,
  { name, content, source }: Script,
  number: number,
  timeoutSeconds: number,
): Promise<void> {
  const { context, session, doing } = at;
  const title = name ? `script ${number} (${name})` : `script ${number}`;
  context.report({ stage: "script", message: title });
  const path = `${FOLDER}/script-${number}`;
  const text = content ?? await Deno.readTextFile(sourceOf(at, source!));
  await put(at, { path, content: text, mode: "700" });
  const command = text.startsWith("#!") ? [path] : ["sh", "-e", path];
  const lines = new LastLines(KEPT_LINES, (line) => {
    context.report({ stage: "script", message: `${title}: ${line}` });
  });
  const { exitCode } = await session.exec(command, {
    asUser: "root",
    cwd: "/",
    stdout: (chunk) => lines.add("stdout", chunk),
    stderr: (chunk) => lines.add("stderr", chunk),
    signal: context.signal,
    timeoutMs: timeoutSeconds * 1000,
  });
  if (exitCode === 0) return;
  const lastLines = lines.end();
  throw new NidoError(
    "tool_failed",
    `Cannot ${doing}: ${title} ended with exit code ${exitCode}`,
    { details: { script: number, exitCode, lastLines } },
  );
}

async function runAsRoot({ session, doing, context }: Place, command: string[]): Promise<void> {
  const lines = new LastLines(KEPT_LINES, () => {});
  const { exitCode } = await session.exec(command, {
    asUser: "root",
    cwd: "/",
    stderr: (chunk) => lines.add("stderr", chunk),
    signal: context.signal,
  });
  if (exitCode === 0) return;
  const lastLines = lines.end();
  throw new NidoError(
    "tool_failed",
    `Cannot ${doing}: ${command[0]} in the guest failed: ${lastLines.at(-1) ?? exitCode}`,
    { details: { exitCode, lastLines } },
  );
}
