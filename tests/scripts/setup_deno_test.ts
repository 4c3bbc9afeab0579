import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type BareMachine, bareMachine } from "../helpers/bare_machine.ts";

const PARTS = ["say", "packages", "deno"];
const BY_HAND =
  "; install it by hand (https://docs.deno.com/runtime/getting_started/installation/), " +
  "then run this script again\n";
const ENSURE = "ensure_deno; command -v deno; deno --version";
const FAKE_DENO = "#!/bin/sh\necho 'deno 2.9.6 (a fake one)'\n";

/** Serves an archive with a fake Deno on this host's loopback, and describes it to the script. */
async function withArchive(
  machine: BareMachine,
  use: (archive: { digest: string; table: string; env: Record<string, string> }) => Promise<void>,
) {
  const archive = join(machine.folder, "deno.zip");
  const file = join(machine.folder, "deno");
  await Deno.writeTextFile(file, FAKE_DENO);
  const args = ["-m", "zipfile", "-c", archive, file];
  assert.ok((await new Deno.Command("/usr/bin/python3", { args }).output()).success);
  const bytes = await Deno.readFile(archive);
  const digest = createHash("sha256").update(bytes).digest("hex");
  const options = { port: 0, hostname: "127.0.0.1", onListen() {} };
  const server = Deno.serve(options, (request) => {
    const isIt = new URL(request.url).pathname === "/release/deno.zip";
    return isIt ? new Response(bytes) : new Response("no", { status: 404 });
  });
  const table = (hash: string) => `deno_archives() { echo "Fake-host deno.zip ${hash}"; }\n`;
  await machine.addProgram("uname", 'if [ "$1" = -s ]; then echo Fake; else echo host; fi');
  try {
    const env = { DENO_ARCHIVES_AT: `http://127.0.0.1:${server.addr.port}/release` };
    await use({ digest, table: table(digest), env });
  } finally {
    await server.shutdown();
  }
}

async function bare(): Promise<BareMachine> {
  const machine = await bareMachine();
  await machine.lend("curl", "sha256sum", "unzip");
  return machine;
}

Deno.test("without npm Deno comes from the pinned archive", async () => {
  await using machine = await bare();
  await withArchive(machine, async ({ table, env }) => {
    assert.deepEqual(await machine.run(PARTS, table + ENSURE, env), [
      0,
      `Installing Deno 2.9.6\n${machine.home}/.local/bin/deno\ndeno 2.9.6 (a fake one)\n`,
    ]);
    const again = await machine.run(PARTS, "deno_archives() { exit 9; }\n" + ENSURE);
    assert.deepEqual(again, [0, `${machine.home}/.local/bin/deno\ndeno 2.9.6 (a fake one)\n`]);
  });
});

Deno.test("an archive with another hash is never unpacked", async () => {
  await using machine = await bare();
  await withArchive(machine, async ({ digest, table, env }) => {
    const wrong = "0".repeat(64);
    const [code, said] = await machine.run(PARTS, table.replace(digest, wrong) + ENSURE, env);
    assert.deepEqual([code, said], [
      1,
      "Installing Deno 2.9.6\nerror: Cannot install Deno 2.9.6: " +
      `deno.zip has the SHA-256 ${digest}, not ${wrong}${BY_HAND}`,
    ]);
    assert.deepEqual([...Deno.readDirSync(machine.home)], []);
  });
});

Deno.test("a system without a pinned archive is told how to install Deno", async () => {
  await using machine = await bareMachine();
  await machine.addProgram("uname", 'if [ "$1" = -s ]; then echo Plan9; else echo mips; fi');
  assert.deepEqual(await machine.run(PARTS, ENSURE), [
    1,
    "Installing Deno 2.9.6\nerror: Cannot install Deno 2.9.6: " +
    `there is no pinned archive for Plan9-mips${BY_HAND}`,
  ]);
});

Deno.test("every pinned archive has a whole SHA-256", async () => {
  await using machine = await bareMachine();
  const [, table] = await machine.run(PARTS, "deno_archives");
  const rows = table.trim().split("\n").map((line) => line.split(/ +/));
  assert.deepEqual(rows.map(([system]) => system), [
    "Linux-x86_64",
    "Linux-aarch64",
    "Darwin-x86_64",
    "Darwin-arm64",
  ]);
  for (const [, archive, hash] of rows) {
    assert.match(`${archive} ${hash}`, /^deno-(x86_64|aarch64)-[a-z-]+\.zip [0-9a-f]{64}$/);
  }
});

const NPM = `
if [ "$1" = prefix ]; then echo /nonexistent/global; exit; fi
echo "$@" > "$HOME/npm-asked"
mkdir -p "$HOME/.local/bin"
printf '#!/bin/sh\\necho "deno 2.9.6 (of npm)"\\n' > "$HOME/.local/bin/deno"
chmod 755 "$HOME/.local/bin/deno"`;

Deno.test("where npm is, Deno comes from it, without root into the user's own folder", async () => {
  await using machine = await bareMachine();
  await machine.addProgram("npm", NPM);
  await machine.addProgram("node", "exit 9");
  assert.deepEqual(await machine.run(PARTS, ENSURE), [
    0,
    `Installing Deno 2.9.6\n${machine.home}/.local/bin/deno\ndeno 2.9.6 (of npm)\n`,
  ]);
  assert.equal(
    await Deno.readTextFile(join(machine.home, "npm-asked")),
    `install -g --prefix ${machine.home}/.local deno@2.9.6\n`,
  );
});

const VERSIONS = { "2.9.0": 0, "2.10.1": 0, "3.0.0": 0, "2.8.9": 1, "1.46.3": 1, "": 1 };

for (const [version, status] of Object.entries(VERSIONS)) {
  const verdict = status === 0 ? "taken" : "not taken";
  Deno.test(`a Deno that calls itself "${version}" is ${verdict}`, async () => {
    await using machine = await bareMachine();
    await machine.addProgram("deno", `echo "deno ${version} (stable)"`);
    assert.deepEqual(await machine.run(PARTS, "deno_is_good"), [status, ""]);
  });
}
