import assert from "node:assert/strict";
import { join } from "node:path";
import { makeContext } from "../../lib/context.ts";
import { installReader, renewOverSsh } from "../../lib/guest/reader.ts";
import { freshRenewal } from "../../lib/guest/renewal.ts";
import { connect, type SshSession } from "../../lib/guest/ssh.ts";
import { startSshd } from "../helpers/sshd.ts";

/** A login as `user` to a guest whose only programs are a shell and these scripts. */
async function withGuest(
  user: string,
  programs: Record<string, string>,
  use: (session: SshSession) => Promise<void>,
) {
  const bin = await Deno.makeTempDir({ prefix: "nido-bin-" });
  await Deno.symlink("/bin/sh", join(bin, "sh"));
  for (const [name, script] of Object.entries(programs)) {
    await Deno.writeTextFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  await using sshd = await startSshd([`SetEnv SHLVL=5 PATH=${bin}`]);
  await using session = await connect(makeContext("/nowhere"), sshd.target, { timeoutMs: 20_000 });
  await use({ ...session, user });
  await Deno.remove(bin, { recursive: true });
}

const SUDO = '[ "$1" = -n ] && shift && exec "$@"';
const hint = "nido exec dev -- sudo python3 --version";

const UNPREPARED: [fact: string, user: string, programs: Record<string, string>][] = [
  ["its login user may not use sudo without a password", "nido", { sudo: "exit 1", python3: "" }],
  ["its login user may not use sudo without a password", "nido", { python3: "" }],
  ["it has no python3", "nido", { sudo: SUDO, true: "" }],
  ["it has no python3", "root", {}],
  ["it has no port org.nido.hatch.0", "root", { python3: "" }],
];

for (const [fact, user, programs] of UNPREPARED) {
  const has = Object.keys(programs).join(", ") || "nothing";
  Deno.test(`a guest with ${has} for ${user} can't be frozen: ${fact}`, async () => {
    await withGuest(user, programs, async (session) => {
      await assert.rejects(installReader(session), {
        code: "unavailable",
        message: `Cannot prepare VM "dev" to be frozen: ${fact}`,
        hint,
      });
    });
  });
}

// Answers with the line that it got as its problem, and with its last argument.
const PYTHON = `echo '{"ready": true}'; read -r line
for last; do :; done
echo "{\\"renewed\\": true, \\"problems\\": [$(echo "$line" | /usr/bin/sed 's/.*"at":\\([0-9.]*\\).*/\\1/'), \\"$last\\"]}"`;

Deno.test("a renewal over SSH tells the time of its arrival and the connection it came by", async () => {
  await withGuest("root", { python3: `/usr/bin/sleep 0.3; ${PYTHON}` }, async (session) => {
    const { problems } = await renewOverSsh(session, freshRenewal(new Date(5000), {}));
    const late = Number(problems[0]) - 5;
    assert.ok(late >= 0.3 && late < 30, problems[0]);
    assert.match(problems[1]!, /^127\.0\.0\.1 \d+ 127\.0\.0\.1 \d+$/);
  });
});

Deno.test("a guest whose Python fails is not renewed, and says why", async () => {
  await withGuest(
    "root",
    { python3: "echo Traceback >&2; echo No module >&2; exit 3" },
    async (s) => {
      await assert.rejects(renewOverSsh(s, freshRenewal(new Date(), {})), {
        code: "unavailable",
        message: 'Cannot renew VM "dev": the program for it ended with exit code 3: No module',
        hint,
      });
    },
  );
});
