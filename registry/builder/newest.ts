import { compareVersions } from "../../lib/catalog/compare_versions.ts";
import { NidoError } from "../../lib/errors.ts";

/** A name that a pattern took, and the part of it that counts. */
export interface Match {
  name: string;
  version: string;
}

/** The names that the whole of a pattern fits, the newest first by its first group. */
export function newestFirst(names: string[], pattern: RegExp): Match[] {
  const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags);
  return names
    .flatMap((name) => {
      const version = whole.exec(name)?.[1];
      return version === undefined ? [] : [{ name, version }];
    })
    .sort((a, b) => compareVersions(b.version, a.version) || (a.name < b.name ? -1 : 1));
}

/** The newest of the names that the whole of a pattern fits. */
export function newest(names: string[], pattern: RegExp, address: string): Match {
  const [first] = newestFirst(names, pattern);
  if (first !== undefined) return first;
  throw new NidoError("not_found", `Cannot find a build in ${address}: no name fits ${pattern}`);
}

/** Text that stands for itself in a pattern. */
export function literal(text: string): string {
  return text.replace(/[^\w-]/g, "\\$&");
}
