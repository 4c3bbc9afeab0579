import { digest } from "../digest.ts";
import { NidoError } from "../errors.ts";

/** What an image reference names: `debian:12@sha256:...`, or the address of a file. */
export type Reference = NamedReference | { kind: "url"; url: string; digest?: string };

/** `debian`, `debian:12` or `debian:bookworm`, with the digest that it must have. */
export interface NamedReference {
  kind: "name";
  name: string;
  version?: string;
  digest?: string;
}

/** True for the address of a file: `https://...`. */
export function looksLikeAddress(reference: string): boolean {
  return /^https?:\/\//i.test(reference);
}

/** Reads a reference; `invalid_input` says what is wrong with it. */
export function parseReference(text: string): Reference {
  const refuse = (fact: string) =>
    new NidoError("invalid_input", `Cannot use image reference ${JSON.stringify(text)}: ${fact}`, {
      hint: "use NAME, NAME:VERSION, NAME:VERSION@sha256:DIGEST, a path, or https://ADDRESS",
    });
  const [, named = "", wanted] = /^(.*?)(?:@(sha\d+:.*))?$/s.exec(text)!;
  const checked = wanted === undefined ? undefined : digest.safeParse(wanted);
  if (checked && !checked.success) throw refuse(checked.error.issues[0]!.message);
  if (looksLikeAddress(named)) {
    if (!URL.canParse(named)) throw refuse("it is no address");
    const { username, password } = new URL(named);
    if (username || password) throw refuse("an address with a password would be kept in records");
    return { kind: "url", url: named, digest: checked?.data };
  }
  const parts = /^([a-z0-9][a-z0-9._-]{0,63})(?::([a-z0-9][a-z0-9._-]{0,63}))?$/.exec(named);
  if (!parts) throw refuse("a name has a-z 0-9 . _ - and one colon before the version");
  return { kind: "name", name: parts[1]!, version: parts[2], digest: checked?.data };
}
