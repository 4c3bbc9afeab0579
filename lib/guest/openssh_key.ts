/** An ed25519 key pair: OpenSSH PEM and one authorized_keys line. */
export interface KeyPair {
  private: string;
  public: string;
}

// PROTOCOL.key of OpenSSH: an unencrypted key file.
const MAGIC = "openssh-key-v1\0";
const TYPE = "ssh-ed25519";

/**
 * Makes a fresh ed25519 key pair. Written here because ssh2 1.17 drops a leading zero byte of the
 * public half, so that one in 256 of its keys is broken.
 */
export async function generateKeyPair(comment: string): Promise<KeyPair> {
  const pair = await crypto.subtle.generateKey({ name: "Ed25519" }, true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const { d, x } = await crypto.subtle.exportKey("jwk", pair.privateKey);
  const [secret, open] = [d, x].map((half) =>
    Uint8Array.fromBase64(half!, { alphabet: "base64url" })
  );
  return writeKeyPair(secret!, open!, comment);
}

/** The files of a key pair, from its two halves of 32 bytes. */
export function writeKeyPair(secret: Uint8Array, open: Uint8Array, comment: string): KeyPair {
  const blob = joined(field(TYPE), field(open));
  const check = crypto.getRandomValues(new Uint8Array(4));
  const unpadded = joined(check, check, blob, field(joined(secret, open)), field(comment));
  const padding = Uint8Array.from({ length: -unpadded.length & 7 }, (_, i) => i + 1);
  const header = [field("none"), field("none"), field(""), uint32(1)];
  const file = joined(utf8(MAGIC), ...header, field(blob), field(joined(unpadded, padding)));
  const lines = file.toBase64().replaceAll(/.{70}(?=.)/g, "$&\n");
  return {
    private: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`,
    public: `${TYPE} ${blob.toBase64()} ${comment}`,
  };
}

/** The public line of an OpenSSH private key; the public half is never encrypted in one. */
export function publicOf(privatePem: string, comment: string): string {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(privatePem)?.[1];
  if (!body) throw new SyntaxError("it is not an OpenSSH private key");
  try {
    const bytes = Uint8Array.fromBase64(body);
    let offset = MAGIC.length;
    const next = () => {
      const found = fieldAt(bytes, offset);
      offset += 4 + found.length;
      return found;
    };
    for (const _ of ["cipher", "kdf", "kdf options"]) next();
    offset += 4; // the number of keys, always 1
    const blob = next();
    return `${keyType(blob)} ${blob.toBase64()} ${comment}`;
  } catch (cause) {
    throw new SyntaxError("it is damaged", { cause });
  }
}

/** The type that a public key's bytes name; a RangeError when they are cut off. */
export function keyType(blob: Uint8Array): string {
  return new TextDecoder().decode(fieldAt(blob, 0));
}

function fieldAt(bytes: Uint8Array, offset: number): Uint8Array {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(offset);
  if (offset + 4 + length > bytes.length) throw new RangeError("a field is cut off");
  return bytes.subarray(offset + 4, offset + 4 + length);
}

function field(value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === "string" ? utf8(value) : value;
  return joined(uint32(bytes.length), bytes);
}

function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function joined(...pieces: Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}
