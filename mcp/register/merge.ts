import { dirname } from "node:path";
import { NidoError } from "../../lib/errors.ts";
import { writeOutside } from "../../lib/store/outside_file.ts";
import type { Client } from "./clients.ts";
import { jsoncMerge } from "./jsonc_file.ts";
import { tomlMerge } from "./toml_file.ts";

/** Gives a configuration's text with an entry, or without it; a SyntaxError tells why it can't. */
export type Merge = (
  text: string,
  path: [section: string, name: string],
  entry: Record<string, unknown> | undefined,
) => Promise<string>;

/** The name under which clients know Nido. */
export const SERVER = "nido";

const MERGES: Record<Client["format"], Merge> = { jsonc: jsoncMerge, toml: tomlMerge };

/** What a client's configuration says of Nido alone. */
export async function blockOf(client: Client, entry: Record<string, unknown>): Promise<string> {
  return await MERGES[client.format]("", [client.section, SERVER], entry);
}

/** What was done to a file. */
export interface Merged {
  isChanged: boolean;
  /** The file as it was. */
  backup?: string;
}

/** Merges the entry into a configuration file, or takes it out, after keeping a copy. */
export async function mergeIntoFile(
  { format, section }: Client,
  path: string,
  entry: Record<string, unknown> | undefined,
): Promise<Merged> {
  const before = await readText(path);
  if (before === undefined && entry === undefined) return { isChanged: false };
  const after = await MERGES[format](before ?? "", [section, SERVER], entry).catch((cause) => {
    throw new NidoError("integrity", `Cannot change ${path}: ${cause.message.split("\n")[0]}`, {
      hint: "Put it right, or add what `nido register` prints by hand",
      cause,
    });
  });
  if (after === before) return { isChanged: false };
  await Deno.mkdir(dirname(path), { recursive: true });
  // A configuration is often a link into a collection of such files.
  const real = before === undefined ? path : await Deno.realPath(path);
  const mode = before === undefined ? 0o600 : (await Deno.stat(real)).mode ?? 0o600;
  const backup = before === undefined ? undefined : `${path}.before-nido-${stamp()}`;
  if (backup !== undefined) {
    await Deno.writeTextFile(backup, before!, { createNew: true, mode: mode & 0o777 });
  }
  await writeOutside(real, once(after), { replace: true });
  await Deno.chmod(real, mode & 0o777);
  return { isChanged: true, backup };
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return;
    throw error;
  }
}

function stamp(): string {
  return new Date().toISOString().replaceAll(/[-:.]/g, "");
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(new TextEncoder().encode(text));
}
