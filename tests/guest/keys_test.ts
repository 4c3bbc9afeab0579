import assert from "node:assert/strict";
import { join } from "node:path";
import { makeContext } from "../../lib/context.ts";
import { generateKeyPair, homeKey, readPublicKeys } from "../../lib/guest/keys.ts";
import { run } from "../../lib/host/process.ts";
import { files } from "../../lib/store/files.ts";
import { prepareHome } from "../../lib/store/home.ts";

async function withHome(use: (home: string) => Promise<void>): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "nido-keys-" });
  try {
    await prepareHome(home);
    await use(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

async function sshKeygen(path: string): Promise<string> {
  const { stdout } = await run("ssh-keygen", ["-y", "-f", path]);
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("20 processes that need the home's key at once get the same one", async () => {
  await withHome(async (home) => {
    const program = new URL("../fixtures/home_key.ts", import.meta.url).pathname;
    const lines = await Promise.all(Array.from({ length: 20 }, async () => {
      const { stdout } = await run(Deno.execPath(), ["run", "-A", "--no-check", program, home]);
      return new TextDecoder().decode(stdout).trim();
    }));
    assert.deepEqual(new Set(lines).size, 1, lines.join("\n"));
    assert.equal(lines[0], await sshKeygen(files.privateKey(home)));
    const names = Array.from(Deno.readDirSync(files.keys(home)), ({ name }) => name).sort();
    assert.deepEqual(names, ["id_ed25519", "id_ed25519.pub"]);
    assert.equal((await Deno.stat(files.privateKey(home))).mode! & 0o777, 0o600);
  });
});

Deno.test("the private key is kept, and the public file follows it", async () => {
  await withHome(async (home) => {
    const context = makeContext(home);
    const made = await homeKey(context);
    assert.equal(made.privatePath, files.privateKey(home));
    const before = await Deno.readTextFile(made.privatePath);
    for (
      const harm of [
        () => Deno.remove(files.publicKey(home)),
        () => Deno.writeTextFile(files.publicKey(home), "ssh-ed25519 AAAA other\n"),
      ]
    ) {
      await harm();
      assert.deepEqual(await homeKey(context), made);
      assert.equal(await Deno.readTextFile(files.publicKey(home)), `${made.public}\n`);
    }
    assert.equal(await Deno.readTextFile(made.privatePath), before);
  });
});

Deno.test("a damaged home key is told and left alone", async () => {
  await withHome(async (home) => {
    const path = files.privateKey(home);
    await Deno.writeTextFile(path, "SECRET");
    await assert.rejects(homeKey(makeContext(home)), {
      code: "integrity",
      message: `Cannot use this home's key ${path}: it is not an OpenSSH private key`,
      hint: `mv ${path} ${path}.broken`,
    });
    assert.equal(await Deno.readTextFile(path), "SECRET");
  });
});

Deno.test("public keys are read from a file with comments, options and CRLF", async () => {
  const [a, b] = [(await generateKeyPair("a")).public, (await generateKeyPair("b b")).public];
  const bare = b.split(" ").slice(0, 2).join(" ");
  const optioned = `no-pty,command="echo \\"a b\\"" ${a}`;
  const text = `\uFEFF# mine\r\n${a}\r\n\r\n  ${b}  \n${bare}\n${optioned}\n`;
  assert.deepEqual(readPublicKeys(text), [a, b, bare, optioned]);
});

Deno.test("ssh-keygen's RSA and ECDSA keys are read too", async () => {
  await withHome(async (home) => {
    for (const [type, bits] of [["rsa", "2048"], ["ecdsa", "384"]] as const) {
      const path = join(home, type);
      await run("ssh-keygen", ["-q", "-t", type, "-b", bits, "-N", "", "-C", "c", "-f", path]);
      const line = await Deno.readTextFile(`${path}.pub`);
      assert.deepEqual(readPublicKeys(line), [line.trim()]);
      await assertRefused(await Deno.readTextFile(path), PRIVATE);
    }
  });
});

const PRIVATE = "it is a private key; give the public one, which ends in .pub";

function assertRefused(text: string, fact: string): Promise<void> {
  return assert.rejects(async () => await readPublicKeys(text), (error: Error) => {
    const { code, message, hint, details } = error as Error & Record<string, unknown>;
    assert.equal(code, "invalid_input");
    assert.equal(message, `Cannot use the SSH key: ${fact}`);
    const told = JSON.stringify([message, hint, details]);
    for (const line of text.split("\n").filter((it) => it.length > 30)) {
      assert.equal(told.includes(line.slice(0, 30)), false, "the error shows the key");
    }
    return true;
  });
}

Deno.test("what isn't a public key is refused", async () => {
  const pair = await generateKeyPair("x");
  const [type, blob] = pair.public.split(" ");
  await assertRefused(pair.private, PRIVATE);
  await assertRefused(`${pair.public}\n${pair.private}`, PRIVATE);
  await assertRefused("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", PRIVATE);
  await assertRefused(
    "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n",
    "it is in RFC 4716 form; give it in OpenSSH's",
  );
  await assertRefused("", "it holds no key");
  await assertRefused("# none\n\n", "it holds no key");
  await assertRefused(`${pair.public}\nhello\n`, "line 2 is not an OpenSSH public key");
  await assertRefused(`ssh-rsa ${blob}`, "line 1 is not an OpenSSH public key");
  await assertRefused(`${type} AAAA`, "line 1 is not an OpenSSH public key");
  await assertRefused(`ssh-dss ${blob}`, "line 1 is not an OpenSSH public key");
});
