import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import { run } from "../../lib/host/process.ts";
import { loginUser, type Seed, seedImage } from "../../lib/guest/seed.ts";

const seed: Seed = {
  instanceId: "i-1: #2",
  hostname: "hatch",
  user: "nido",
  authorizedKeys: ['command="echo \\"a: b\\"" ssh-ed25519 AAAA one', "ssh-ed25519 BBBB two\n"],
  hostKey: { private: "-----BEGIN-----\nx\n-----END-----\n", public: "ssh-ed25519 CCCC host" },
};

/** The image's files, as a guest reads them. */
async function filesOf(image: Uint8Array): Promise<Record<string, string>> {
  const folder = await Deno.makeTempDir({ prefix: "nido-seed-" });
  try {
    const path = join(folder, "seed.iso");
    await Deno.writeFile(path, image);
    const read = async (...args: string[]) =>
      new TextDecoder().decode((await run("isoinfo", ["-J", "-i", path, ...args])).stdout);
    const names = (await read("-f")).trim().split("\n");
    const entries = names.map(async (name) => [name, await read("-x", name)] as const);
    return Object.fromEntries(await Promise.all(entries));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a seed holds meta-data and user-data, nothing else", async () => {
  const found = await filesOf(await seedImage(seed));
  assert.deepEqual(Object.keys(found).sort(), ["/meta-data", "/user-data"]);
  assert.deepEqual(parse(found["/meta-data"]!), {
    "instance-id": "i-1: #2",
    "local-hostname": "hatch",
    "public-keys": ['command="echo \\"a: b\\"" ssh-ed25519 AAAA one', "ssh-ed25519 BBBB two"],
  });
  assert.match(found["/user-data"]!, /^#cloud-config\n/);
  assert.deepEqual(parse(found["/user-data"]!), {
    manage_etc_hosts: "localhost",
    growpart: { mode: "auto", devices: ["/"] },
    package_update: false,
    user: {
      name: "nido",
      lock_passwd: true,
      gecos: "Nido",
      sudo: "ALL=(ALL) NOPASSWD:ALL",
    },
    hostname: "hatch",
    preserve_hostname: false,
    ssh_pwauth: false,
    disable_root: true,
    ssh_deletekeys: true,
    ssh_keys: {
      ed25519_private: "-----BEGIN-----\nx\n-----END-----\n",
      ed25519_public: "ssh-ed25519 CCCC host\n",
    },
    allow_public_ssh_keys: true,
  });
});

Deno.test("as root, no user is made and root may log in", async () => {
  const found = await filesOf(await seedImage({ ...seed, user: "root" }));
  const config = parse(found["/user-data"]!);
  assert.deepEqual(config.user, { name: "root", lock_passwd: true });
  assert.equal(config.disable_root, false);
  assert.equal(config.ssh_pwauth, false);
});

Deno.test("the caller's user-data travels beside Nido's", async () => {
  const found = await filesOf(await seedImage({ ...seed, userData: "#!/bin/sh\necho hi\n" }));
  assert.match(found["/user-data"]!, /^Content-Type: multipart\/mixed; /);
  assert.ok(found["/user-data"]!.includes("\n\n#!/bin/sh\necho hi\n\n--"));
  await assert.rejects(seedImage({ ...seed, userData: "echo hi" }), { code: "invalid_input" });
});

Deno.test("the same seed gives the same image", async () => {
  assert.deepEqual(await seedImage(seed), await seedImage({ ...seed }));
  assert.notDeepEqual(await seedImage(seed), await seedImage({ ...seed, hostname: "other" }));
});

Deno.test("login users are what Linux takes", () => {
  for (const good of ["nido", "root", "_x", "a-b_1", "a".repeat(32)]) {
    assert.equal(loginUser.safeParse(good).success, true, good);
  }
  for (const bad of ["", "Nido", "1a", "-a", "a b", "a.b", "a\n", "ñ", "a".repeat(33)]) {
    assert.equal(
      loginUser.safeParse(bad).error?.issues[0]?.message,
      "must be 1 to 32 of a-z 0-9 _ - and start with a letter or _",
      bad,
    );
  }
});
