import { NidoError } from "../../lib/errors.ts";
import type { Page } from "./fetch.ts";

const BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE = "-----BEGIN PGP SIGNATURE-----";
const END = "-----END PGP SIGNATURE-----";

/**
 * The part of a clearsigned text that its signature covers (RFC 4880, section 7); any other text comes
 * back as it is. What is outside of that part is refused, since nobody has signed it.
 */
export function signedBody({ address, text }: Page): string {
  if (!/^-----/m.test(text)) return text;
  const lines = text.split("\n").map((line) => line.trimEnd());
  const blank = lines.indexOf("");
  const signature = lines.indexOf(SIGNATURE);
  const end = lines.indexOf(END);
  const refuse = (fact: string) =>
    new NidoError("integrity", `Cannot use the signed text of ${address}: ${fact}`);
  if (lines[0] !== BEGIN) throw refuse("it does not begin with its signed message");
  if (blank < 0 || signature < blank || end < signature) throw refuse("it is not whole");
  if (lines.slice(1, blank).some((line) => !/^Hash: [A-Z0-9, -]+$/.test(line))) {
    throw refuse("its header holds more than the name of a hash");
  }
  if (lines.slice(end + 1).some((line) => line !== "")) throw refuse("text follows its signature");
  const body = lines.slice(blank + 1, signature).map((line) => line.replace(/^- /, ""));
  if (lines.slice(blank + 1, signature).some((line) => line.startsWith("-----"))) {
    throw refuse("another message is inside");
  }
  return body.join("\n");
}
