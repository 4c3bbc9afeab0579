import { NidoError } from "../../lib/errors.ts";
import type { Page } from "./fetch.ts";

/**
 * The names in a folder that a web server lists, whatever it looks like: only `href`s count, and only
 * those of this folder (link texts are cut, and sizes rounded). Folders end in a slash.
 */
export function listedNames({ address, text }: Page): string[] {
  const links = text.matchAll(
    /<a(?:\s[^<>]{0,500}?)?\shref\s*=\s*(?:"([^"<>]{0,500})"|'([^'<>]{0,500})')/gi,
  );
  const names = Array.from(links, ([, double, single]) => nameOf(double ?? single ?? ""));
  const kept = [...new Set(names.filter((name) => name !== undefined))];
  if (kept.length === 0) {
    throw new NidoError("integrity", `Cannot read the list of ${address}: it names no file`);
  }
  return kept;
}

function nameOf(href: string): string | undefined {
  const relative = href.replaceAll("&amp;", "&").replace(/^\.\//, "");
  try {
    const name = decodeURIComponent(relative);
    return /^[A-Za-z0-9][\w.+~=-]*\/?$/.test(name) ? name : undefined;
  } catch {
    return undefined; // no name of a file is written so
  }
}
