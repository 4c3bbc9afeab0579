import { join } from "node:path";
import { fromFileUrl } from "../helpers/paths.ts";

const ROOT = fromFileUrl("../..");

/** One page of the project's documents. */
export interface Page {
  /** Relative to the project's root. */
  path: string;
  text: string;
}

/** A fenced block: its language and its lines. */
export interface Block {
  language: string;
  lines: string[];
}

/** Every document that people write or read: those at the root and all below docs. */
export async function pages(): Promise<Page[]> {
  const paths = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
  const walk = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
      if (isDirectory) await walk(`${folder}/${name}`);
      else if (name.endsWith(".md")) paths.push(`${folder}/${name}`);
    }
  };
  await walk("docs");
  return await Promise.all(paths.sort().map(page));
}

/** One document by its path. */
export async function page(path: string): Promise<Page> {
  return { path, text: await Deno.readTextFile(join(ROOT, path)) };
}

/** The fenced blocks of a page, in order; a fence inside a list is indented, and so is its block. */
export function blocks(text: string): Block[] {
  return [...text.matchAll(/^( *)```(\w*)\n(.*?)^\1```$/gms)].map(([, indent, language, body]) => ({
    language: language!,
    lines: body!.trimEnd().split("\n").map((line) => line.slice(indent!.length)),
  }));
}

/** A page without its fenced blocks. */
export function prose(text: string): string {
  return text.replaceAll(/^( *)```\w*\n.*?^\1```$/gms, "");
}

/** What stands between single backticks in the prose of a page. */
export function codeSpans(text: string): string[] {
  return [...prose(text).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
}
