import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { join } from "node:path";
import { run } from "../../lib/host/process.ts";
import { generateKeyPair, keyType, publicOf, writeKeyPair } from "../../lib/guest/openssh_key.ts";

Deno.test("ssh-keygen and ssh2 read made keys", async () => {
  const { default: ssh2 } = await import("ssh2");
  const folder = await Deno.makeTempDir({ prefix: "nido-key-" });
  try {
    for (const comment of ["", "a", "a bird", "nido@host", "1234567"]) {
      const pair = await generateKeyPair(comment);
      const path = join(folder, crypto.randomUUID());
      await Deno.writeTextFile(path, pair.private, { mode: 0o600 });
      const { stdout } = await run("ssh-keygen", ["-y", "-f", path]);
      assert.equal(new TextDecoder().decode(stdout).trim(), pair.public.trim());
      const parsed = ssh2.utils.parseKey(pair.private);
      assert.ok(!(parsed instanceof Error), String(parsed));
      const message = Buffer.from("tweet");
      assert.equal(parsed.verify(message, parsed.sign(message) as Buffer), true);
      assert.equal(publicOf(pair.private, comment), pair.public);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("two keys differ", async () => {
  const [one, other] = [await generateKeyPair("x"), await generateKeyPair("x")];
  assert.notEqual(one.private, other.private);
  assert.notEqual(one.public, other.public);
});

// RFC 8032, section 7.1, test 1; and halves that start with a zero byte.
Deno.test("a key's halves keep all their bytes", () => {
  const secret = Uint8Array.fromHex(
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
  );
  const open = Uint8Array.fromHex(
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  );
  const pair = writeKeyPair(secret, open, "c");
  assert.equal(
    pair.public,
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea c",
  );
  const zero = new Uint8Array(32);
  const blob = Uint8Array.fromBase64(writeKeyPair(zero, zero, "c").public.split(" ")[1]!);
  assert.equal(blob.length, 51);
});

Deno.test("what isn't a whole key is a SyntaxError", () => {
  const pem = (body: string) => `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END`;
  assert.throws(() => publicOf("x", ""), new SyntaxError("it is not an OpenSSH private key"));
  assert.throws(() => publicOf(pem("b3BlbnNz"), ""), new SyntaxError("it is damaged"));
  assert.throws(() => publicOf(pem("?"), ""), new SyntaxError("it is damaged"));
  assert.throws(() => keyType(Uint8Array.of(0, 0, 0, 9, 65)), RangeError);
});
