import { basename, dirname, join } from "node:path";
import type { Context } from "../../context.ts";
import { namesAtTop } from "../../store/files.ts";
import { isThere } from "../../store/is_there.ts";
import { removeIfThere } from "../../store/record.ts";
import { runRoot } from "../../store/run_folder.ts";
import { type Binary, binaryAt, leftoversOf } from "./binary.ts";
import { type Copy, updatedOtherwise } from "./copy.ts";
import { byHand, isInUserPath, leaveUserPath } from "./user_path.ts";
import { completionsOf, type Env, isCompletion, isMarked, profilesOf, unmark } from "./profile.ts";

/** Something of Nido's on this machine, and how it goes. */
export interface Trace {
  what: "completion" | "path" | "home" | "previous" | "binary";
  path: string;
  remove(): Promise<void>;
}

/** What there is, and the command for what only its user can look for. */
export interface Traces {
  traces: Trace[];
  byHand?: string;
}

/** All that is Nido's, in the order in which it goes: the binary last, so that it can be tried again. */
export async function findTraces(
  { home }: Context,
  { copy, env, withHome }: { copy: Copy; env: Env; withHome: boolean },
): Promise<Traces> {
  const traces: Trace[] = [];
  const add = (what: Trace["what"], path: string, remove = () => removeIfThere(path)) =>
    traces.push({ what, path, remove });
  for (const path of completionsOf(env)) if (await isCompletion(path)) add("completion", path);
  for (const path of profilesOf(env)) {
    if (await isMarked(path)) {
      add("path", path, () => unmark(path));
    }
  }
  if (withHome && await isThere(home)) add("home", home, () => removeHome(home));
  if (updatedOtherwise(copy)) return { traces };
  const binary = binaryAt(copy.path, copy.platform.os);
  const folder = dirname(binary.path);
  const named = await isAlone(binary) && await isInUserPath(folder, env).catch(() => undefined);
  if (named) add("path", folder, () => leaveUserPath(folder, env));
  for (const path of [binary.previous, ...leftoversOf(binary)]) {
    if (await isThere(path)) add("previous", path);
  }
  add("binary", binary.path, () => removeBinary(binary));
  return named === undefined ? { traces, byHand } : { traces };
}

/** Whether PATH names the folder for nothing but Nido, on Windows, where a folder is named by itself. */
async function isAlone(binary: Binary): Promise<boolean> {
  if (binary.os !== "windows") return false;
  const ours = [binary.path, binary.previous, ...leftoversOf(binary)].map((path) => basename(path));
  const names = await Array.fromAsync(Deno.readDir(dirname(binary.path)), ({ name }) => name);
  return names.every((name) => ours.includes(name));
}

/** Windows doesn't remove a program that runs, but lets it be moved out of the way. */
async function removeBinary({ path, os }: Binary): Promise<void> {
  if (os !== "windows") return await removeIfThere(path);
  await Deno.rename(path, join(await Deno.makeTempDir({ prefix: "nido-removed-" }), "nido.exe"));
}

/** Removes what Nido put into a home; a folder with anything else in it stays, with that. */
async function removeHome(home: string): Promise<void> {
  const root = await runRoot(home);
  for (const name of namesAtTop()) await removeIfThere(join(home, name));
  await removeIfThere(root);
  await Deno.remove(home).catch(async (error) => {
    if ((await Array.fromAsync(Deno.readDir(home))).length === 0) throw error;
  });
}
