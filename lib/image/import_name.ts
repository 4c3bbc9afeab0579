import { basename } from "node:path";
import { looksLikeAddress } from "../catalog/reference.ts";
import type { Architecture } from "./image.ts";

const SUFFIX = /\.(xz|gz|bz2|zst|tar|qcow2|qcow|img|raw|disk|vmdk|vhdx|vdi)$/;

/** True for a file name that ends like a disk's. */
export function hasDiskSuffix(path: string): boolean {
  return SUFFIX.test(path.toLowerCase());
}

/** An image name made from a file's: `Debian 12 (generic).qcow2.xz` gives `debian-12-generic`. */
export function nameFromFile(path: string): string {
  let name = basename(path).toLowerCase();
  while (SUFFIX.test(name)) name = name.replace(SUFFIX, "");
  const safe = name.replace(/[^a-z0-9._:-]+/g, "-").replace(/^[^a-z0-9]+/, "");
  return safe.slice(0, 64).replace(/[^a-z0-9]+$/, "") || "image";
}

/** The architecture that a file's name tells, if any. */
export function architectureFromFile(path: string): Architecture | undefined {
  const name = basename(path).toLowerCase();
  if (/(^|[^a-z0-9])(arm64|aarch64)([^a-z0-9]|$)/.test(name)) return "aarch64";
  if (/(^|[^a-z0-9])(amd64|x86_64|x86-64|x64)([^a-z0-9]|$)/.test(name)) return "x86_64";
}

/** True for a reference that can only be a path: it has a separator or begins with a dot. */
export function looksLikePath(reference: string): boolean {
  return !looksLikeAddress(reference) && (/[/\\]/.test(reference) || reference.startsWith("."));
}
