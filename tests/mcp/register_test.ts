import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { parse as parseJsonc } from "jsonc-parser";
import { parse } from "smol-toml";
import { clients } from "../../mcp/register/clients.ts";
import { jsoncMerge } from "../../mcp/register/jsonc_file.ts";
import { tomlMerge } from "../../mcp/register/toml_file.ts";
import { nido, withHome } from "../helpers/command.ts";

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

Deno.test("each client is written after a backup, once, and taken back", async () => {
  await withHome(async (home) => {
    const env = { HOME: home, NO_COLOR: "1", DENO_DIR: await denoDir() };
    for (const { name, file, format } of clients) {
      if (!file) continue;
      const path = file({ home, os: Deno.build.os });
      const before = format === "toml" ? "# mine\n" : "{\n  // mine\n}\n";
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeTextFile(path, before, { mode: 0o640 });
      const run = async (...args: string[]) => {
        const said = await nido(["register", "--client", name, ...args], {
          home: join(home, "nest"),
          env,
        });
        assert.equal(said.code, 0, said.stderr);
        return said.stdout;
      };
      const printed = await run();
      assert.match(printed, /nido/);
      assert.equal(await Deno.readTextFile(path), before);
      assert.match(await run("--write", "--", "--read-only"), /^Registered with /);
      const written = await Deno.readTextFile(path);
      assert.match(written, /(#|\/\/) mine\n/, name);
      assert.match(written, /"--read-only"/, name);
      assert.equal((await Deno.stat(path)).mode! & 0o777, 0o640, name);
      assert.match(await run("--write", "--", "--read-only"), / knows Nido already: /);
      assert.equal(await Deno.readTextFile(path), written);
      assert.match(await run("--remove"), /^Removed from /);
      assert.doesNotMatch(await Deno.readTextFile(path), /"?nido"?\]?/, name);
      assert.match(await run("--remove"), / does not know Nido: /);
      const copies = (await Array.fromAsync(Deno.readDir(dirname(path)))).filter((entry) =>
        entry.name.includes(".before-nido-")
      );
      assert.equal(copies.length, 2, name);
      for (const copy of copies) await Deno.remove(join(dirname(path), copy.name));
    }
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
