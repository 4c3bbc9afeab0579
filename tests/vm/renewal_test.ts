import assert from "node:assert/strict";
import { join } from "node:path";
import { makeContext } from "../../lib/context.ts";
import { ReaderLink } from "../../lib/guest/reader.ts";
import { files } from "../../lib/store/files.ts";
import { prepareHome } from "../../lib/store/home.ts";
import { renewed } from "../../lib/vm/renewal.ts";
import type { SoundVm, Wake } from "../../lib/vm/vm.ts";
import { startSshd } from "../helpers/sshd.ts";
import { withUnixServer } from "../helpers/unix_server.ts";

const OLD = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKtlL9CjUBOQ3nQ1pJ4PVJNsDHqGcs0Cq3WTdqjUHLLD";
const SUDO = '[ "$1" = -n ] && shift && exec "$@"';
const PYTHON = `echo '{"ready": true}'
read -r line
echo '{"renewed": true, "problems": ["told over SSH"]}'`;

/** A VM whose guest is this machine's sshd, and hangs up at its port. */
async function withDeafGuest(
  hostKeys: (own: string) => { frozen: string; own: string },
  use: (renew: () => Promise<string[]>) => Promise<void>,
) {
  const folder = await Deno.makeTempDir({ prefix: "nido-renewal-" });
  for (const [name, script] of Object.entries({ sudo: SUDO, python3: PYTHON, true: "" })) {
    await Deno.writeTextFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  await Deno.symlink("/bin/sh", join(folder, "sh"));
  await using sshd = await startSshd([`SetEnv SHLVL=5 PATH=${folder}`]);
  const context = makeContext(join(folder, "home"));
  await prepareHome(context.home);
  await Deno.writeTextFile(files.privateKey(context.home), sshd.target.privateKey);
  const { frozen, own } = hostKeys(sshd.target.hostKey);
  const record = {
    user: sshd.target.user,
    hostKey: own,
    ports: [{ label: "ssh", guest: 22, host: sshd.target.port }],
  };
  const vm = { name: "dev", folder, record } as unknown as SoundVm;
  const wake: Wake = { state: "", renews: "clock", hostKey: frozen };
  await withUnixServer({ hear: (_, peer) => peer.hangUp() }, async (path) => {
    const link = await ReaderLink.open(path);
    await link.send({ prepare: true });
    await use(() => renewed(context, vm, wake, link));
  });
  await Deno.remove(folder, { recursive: true });
}

Deno.test("a guest whose port is silent is told over SSH, by the key it was frozen with", async () => {
  await withDeafGuest((key) => ({ frozen: key, own: OLD }), async (renew) => {
    assert.deepEqual(await renew(), ["told over SSH"]);
  });
});

Deno.test("a guest that fell silent after it took its own key is told over SSH by that", async () => {
  await withDeafGuest((key) => ({ frozen: OLD, own: key }), async (renew) => {
    assert.deepEqual(await renew(), ["told over SSH"]);
  });
});

Deno.test("a guest that shows neither key is told nothing", async () => {
  await withDeafGuest(() => ({ frozen: OLD, own: OLD }), async (renew) => {
    await assert.rejects(renew(), {
      code: "unavailable",
      message: 'VM "dev" woke, and its guest took in neither its time nor its name',
      hint: "nido logs dev",
    });
  });
});
