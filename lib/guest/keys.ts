import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { files } from "../store/files.ts";
import { withLock } from "../store/lock.ts";
import { writeFileAtomic } from "../store/record.ts";
import { generateKeyPair, keyType, publicOf } from "./openssh_key.ts";

export { generateKeyPair, type KeyPair } from "./openssh_key.ts";

/**
 * This home's own key, made at the first need. The private file decides; the public one beside it is
 * a convenience that is written again when it is missing or differs.
 */
export async function homeKey(
  context: Context,
): Promise<{ privatePath: string; public: string }> {
  const privatePath = files.privateKey(context.home);
  const found = await readIfThere(privatePath) ??
    await withLock(context, { what: "keys", doing: "make this home's key" }, async () => {
      const made = await readIfThere(privatePath);
      if (made !== undefined) return made;
      const pair = await generateKeyPair("nido");
      await writeFileAtomic(privatePath, pair.private);
      return pair.private;
    });
  const line = homePublic(privatePath, found);
  const publicPath = files.publicKey(context.home);
  // Race: several processes may write it at once; they all write the same line.
  if (await readIfThere(publicPath) !== `${line}\n`) await writeFileAtomic(publicPath, `${line}\n`);
  return { privatePath, public: line };
}

function homePublic(path: string, pem: string): string {
  try {
    return publicOf(pem, "nido");
  } catch (cause) {
    const fact = cause instanceof Error ? cause.message : String(cause);
    throw new NidoError("integrity", `Cannot use this home's key ${path}: ${fact}`, {
      hint: `mv ${path} ${path}.broken`,
      cause,
    });
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const KEY_TYPES = [
  "ssh-ed25519",
  "ssh-rsa",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
];

const KEY_LINE = new RegExp(
  // Options before the type may hold blanks inside double quotes.
  String.raw`^(?:(?:[^\s"]|"(?:[^"\\]|\\.)*")+\s+)?(${
    KEY_TYPES.map((type) => type.replaceAll(".", "\\.")).join("|")
  })\s+([A-Za-z0-9+/]+={0,2})(?:\s.*)?$`,
);

/**
 * The public keys in the text of an authorized_keys or `.pub` file, one line each; blank lines and
 * comments are left out. A private key is refused, and no error shows any part of one.
 */
export function readPublicKeys(text: string): string[] {
  if (/BEGIN [A-Z0-9 ]*PRIVATE KEY|^PuTTY-User-Key-File/m.test(text)) {
    throw badKey(
      "it is a private key; give the public one, which ends in .pub",
      "ssh-keygen -y -f KEY > KEY.pub",
    );
  }
  if (text.includes("BEGIN SSH2 PUBLIC KEY")) {
    throw badKey("it is in RFC 4716 form; give it in OpenSSH's", "ssh-keygen -i -f KEY > KEY.pub");
  }
  const keys: string[] = [];
  for (const [i, raw] of text.replace(/^\uFEFF/, "").split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const match = KEY_LINE.exec(line);
    if (!match || !isKey(match[1]!, match[2]!)) {
      throw badKey(`line ${i + 1} is not an OpenSSH public key`, "head -c 60 KEY.pub");
    }
    keys.push(line);
  }
  if (keys.length === 0) throw badKey("it holds no key", "ssh-keygen -t ed25519");
  return keys;
}

function isKey(type: string, base64: string): boolean {
  try {
    return keyType(Uint8Array.fromBase64(base64)) === type;
  } catch {
    return false; // not base64, or too short to name a type
  }
}

function badKey(fact: string, hint: string): NidoError {
  return new NidoError("invalid_input", `Cannot use the SSH key: ${fact}`, { hint });
}
