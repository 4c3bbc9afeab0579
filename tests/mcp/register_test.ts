import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { parse as parseJsonc } from "jsonc-parser";
import { parse } from "smol-toml";
import { clients } from "../../mcp/register/clients.ts";
import { jsoncMerge } from "../../mcp/register/jsonc_file.ts";
import { mergeIntoFile } from "../../mcp/register/merge.ts";
import { tomlMerge } from "../../mcp/register/toml_file.ts";
import { nido, nidoWords, withHome } from "../helpers/command.ts";
import { fromFileUrl } from "../helpers/paths.ts";

const parseToml = (text: string) => JSON.parse(JSON.stringify(parse(text)));
const ENTRY = { command: "nido", args: ["mcp"] };

Deno.test("JSON keeps its comments, commas and indentation", async () => {
  const text = `{
\t// my servers
\t"mcpServers": {
\t\t"other": { "command": "x" }, // mine
\t},
}
`;
  const merged = await jsoncMerge(text, ["mcpServers", "nido"], ENTRY);
  assert.match(merged, /\/\/ my servers\n/);
  assert.match(merged, /\/\/ mine\n/);
  assert.match(merged, /\n\t\t"nido": \{\n\t\t\t"command": "nido"/);
  assert.deepEqual(parseJsonc(merged), {
    mcpServers: { other: { command: "x" }, nido: ENTRY },
  });
  assert.equal(await jsoncMerge(merged, ["mcpServers", "nido"], ENTRY), merged);
  const back = await jsoncMerge(merged, ["mcpServers", "nido"], undefined);
  assert.deepEqual(parseJsonc(back), { mcpServers: { other: { command: "x" } } });
  assert.match(back, /\/\/ mine/);
  for (const wrong of ["{", "[]", '{"mcpServers": 3}']) {
    await assert.rejects(jsoncMerge(wrong, ["mcpServers", "nido"], ENTRY), SyntaxError, wrong);
  }
});

Deno.test("TOML keeps its comments; a table of Nido's is replaced with what is in it", async () => {
  const text = `# mine
model = "x"

[mcp_servers.nido] # old
command = "old"
[mcp_servers.nido.env]
A = "b"

[mcp_servers.other]
command = "y" # keep
`;
  const merged = await tomlMerge(text, ["mcp_servers", "nido"], ENTRY);
  assert.match(merged, /^# mine\n/);
  assert.match(merged, /command = "y" # keep\n/);
  assert.deepEqual(parseToml(merged), {
    model: "x",
    mcp_servers: { other: { command: "y" }, nido: ENTRY },
  });
  assert.equal(await tomlMerge(merged, ["mcp_servers", "nido"], ENTRY), merged);
  const back = await tomlMerge(merged, ["mcp_servers", "nido"], undefined);
  assert.deepEqual(parseToml(back), { model: "x", mcp_servers: { other: { command: "y" } } });
  for (const wrong of ["a = ", 'mcp_servers = { nido = { command = "x" } }']) {
    await assert.rejects(tomlMerge(wrong, ["mcp_servers", "nido"], ENTRY), Error, wrong);
  }
});

Deno.test("each client's file is written after a backup, once, and taken back", async () => {
  await withHome(async (home) => {
    for (const client of clients.filter(({ file }) => file)) {
      const { name, format, section } = client;
      const path = client.file!({ home, os: "linux" });
      const text = () => Deno.readTextFile(path);
      const before = format === "toml" ? "# mine\n" : "{\n  // mine\n}\n";
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeTextFile(path, before, { mode: 0o640 });
      const entry = client.entry({ command: "nido", args: ["mcp", "--read-only"] })!;

      const first = await mergeIntoFile(client, path, entry);
      assert.equal(await Deno.readTextFile(first.backup!), before, name);
      const written = await text();
      assert.match(written, /(#|\/\/) mine\n/, name);
      const read = format === "toml" ? parseToml(written) : parseJsonc(written);
      assert.deepEqual(read, { [section]: { nido: entry } }, name);
      assert.equal((await Deno.stat(path)).mode! & 0o777, 0o640, name);

      assert.deepEqual(await mergeIntoFile(client, path, entry), {
        isChanged: false,
      }, name);
      assert.equal(await text(), written, name);

      const removed = await mergeIntoFile(client, path, undefined);
      assert.equal(await Deno.readTextFile(removed.backup!), written, name);
      assert.doesNotMatch(await text(), /"?nido"?\]?/, name);
      assert.equal((await mergeIntoFile(client, path, undefined)).isChanged, false, name);
      for (const { backup } of [first, removed]) await Deno.remove(backup!);
    }
  });
});

Deno.test("a file that isn't there is made, its owner's only; one that is a link stays one", async () => {
  await withHome(async (home) => {
    const cursor = clients.find(({ name }) => name === "cursor")!;
    const path = cursor.file!({ home, os: "linux" });
    assert.deepEqual(await mergeIntoFile(cursor, path, undefined), { isChanged: false });
    assert.deepEqual(await mergeIntoFile(cursor, path, ENTRY), {
      isChanged: true,
      backup: undefined,
    });
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    const real = join(home, "collection.json");
    await Deno.rename(path, real);
    await Deno.symlink(real, path);
    await mergeIntoFile(cursor, path, undefined);
    assert.equal((await Deno.lstat(path)).isSymlink, true);
    assert.doesNotMatch(await Deno.readTextFile(real), /nido/);
  });
});

Deno.test("each client's entry over HTTP is spelt as it reads it; one can't be told of HTTP", async () => {
  const url = "http://127.0.0.1:7433/mcp";
  const headers = { Authorization: "Bearer secret" };
  const expected: Record<string, unknown> = {
    "claude-desktop": undefined,
    "claude-code": { type: "http", url, headers },
    cursor: { url, headers },
    vscode: { type: "http", url, headers },
    codex: { url, http_headers: headers },
    gemini: { httpUrl: url, headers },
    windsurf: { serverUrl: url, headers },
    zed: { url, headers },
    lmstudio: { url, headers },
    generic: { url, headers },
  };
  assert.deepEqual(
    Object.fromEntries(clients.map(({ name, entry }) => [name, entry({ url, headers })])),
    expected,
  );
  await withHome(async (home) => {
    const env = { HOME: home, NO_COLOR: "1", DENO_DIR: await denoDir() };
    const said = await nido(["register", "--http", "--client", "vscode"], { home, env });
    const token = (await Deno.readTextFile(join(home, "keys", "http_token"))).trim();
    assert.deepEqual(JSON.parse(said.stdout).servers.nido, {
      type: "http",
      url,
      headers: { Authorization: `Bearer ${token}` },
    });
    const refused = await nido(["register", "--http", "--client", "claude-desktop"], { home, env });
    assert.equal(
      refused.stderr,
      "error: Cannot register: claude-desktop takes no HTTP server from its file\n" +
        "  try: nido register, without --http\n",
    );
    const strange = await nido(["register", "--http", "--", "--read-only"], { home, env });
    assert.equal(strange.code, 2);
    assert.equal(
      strange.stderr,
      "error: Cannot register: over HTTP, --read-only is for the server and not for its client\n" +
        "  try: nido mcp --http --read-only\n",
    );
  });
});

Deno.test("an installed binary is registered by itself, without the words for Deno", async () => {
  await withHome(async (home) => {
    const preload = fromFileUrl("./as_binary.ts");
    const main = fromFileUrl("../../main.ts");
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--preload", preload, main, "register", "--client", "codex"],
      env: { HOME: home, NIDO_HOME: home, DENO_DIR: await denoDir(), AS_BINARY: "/opt/nido" },
    }).output();
    const { nido: entry } = parseToml(new TextDecoder().decode(stdout)).mcp_servers;
    assert.deepEqual([entry.command, ...entry.args], ["/opt/nido", "mcp"]);
  });
});

Deno.test("nido register prints, writes with --write, and takes back with --remove", async () => {
  await withHome(async (home) => {
    const env = { HOME: home, NO_COLOR: "1", DENO_DIR: await denoDir() };
    const path = clients.find(({ name }) => name === "codex")!.file!({ home, os: Deno.build.os });
    const run = async (...args: string[]) => {
      const said = await nido(["register", "--client", "codex", ...args], {
        home: join(home, "nest"),
        env,
      });
      assert.equal(said.code, 0, said.stderr);
      return said.stdout;
    };
    const printed = parseToml(await run("--", "--read-only")).mcp_servers.nido;
    const [program, ...words] = nidoWords();
    const started = [program, ...words.filter((word) => word !== "--no-prompt")];
    assert.deepEqual([printed.command, ...printed.args], [...started, "mcp", "--read-only"]);
    assert.equal(printed.env.NIDO_HOME, join(home, "nest"));
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
    assert.match(await run("--write", "--", "--read-only"), /^Registered with codex in /);
    assert.deepEqual(parseToml(await Deno.readTextFile(path)).mcp_servers.nido, printed);
    assert.match(await run("--write", "--", "--read-only"), /^codex knows Nido already: /);
    assert.match(await run("--remove"), /^Removed from codex in .*\nThe file as it was: /);
    assert.match(await run("--remove"), /^codex does not know Nido: /);
  });
});

Deno.test("a wrong file is left alone, a wrong client is told", async () => {
  await withHome(async (home) => {
    const env = { HOME: home, NO_COLOR: "1", DENO_DIR: await denoDir() };
    const path = join(home, ".cursor", "mcp.json");
    await Deno.mkdir(dirname(path));
    await Deno.writeTextFile(path, '{\n"a": \n}');
    const said = await nido(["register", "--client", "cursor", "--write"], { home, env });
    assert.equal(said.code, 12);
    assert.match(said.stderr, /^error: Cannot change .*mcp\.json: line 3: ValueExpected\n/);
    assert.equal(await Deno.readTextFile(path), '{\n"a": \n}');
    const wrong = await nido(["register", "--client", "curser"], { home, env });
    assert.equal(
      wrong.stderr,
      'error: Cannot register: there is no client "curser"; the nearest is "cursor"\n' +
        "  try: nido register --client cursor\n",
    );
    const flags = await nido(["register", "--", "--bogus"], { home, env });
    assert.match(flags.stderr, /^error: Cannot run mcp: Unknown option '--bogus'\n/);
  });
});

/** Where Deno keeps what it fetched; with another HOME it would fetch all again. */
async function denoDir(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}
