import { fileURLToPath } from "node:url";

/** The absolute path of a file named from this folder. */
export function fromFileUrl(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
