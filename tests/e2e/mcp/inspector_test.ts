import assert from "node:assert/strict";
import { readToken } from "../../../mcp/http/token.ts";
import { withHome } from "../../helpers/command.ts";
import { serve } from "../../mcp/served.ts";
import { denoDir, INSPECTOR, NIDO, runPackage } from "./third_party.ts";

/** Asks the inspector's command line something; over standard input and output unless told a URL. */
async function inspect(home: string, asked: string[], where?: string[]) {
  const server = where ?? [
    ...["-e", `NIDO_HOME=${home}`, "-e", `DENO_DIR=${await denoDir()}`],
    ...["--", ...NIDO, "mcp"],
  ];
  const args = ["--cli", "--format", "json", "--connect-timeout", "60000", ...asked, ...server];
  const { code, stdout, stderr } = await runPackage(INSPECTOR, args, home);
  return { code, said: stdout + stderr, result: JSON.parse(stdout || "{}").result };
}

Deno.test("the inspector lists the tools strictly, calls one and reads a page", async () => {
  await withHome(async (home) => {
    const listed = await inspect(home, ["--method", "tools/list", "--strict"]);
    assert.equal(listed.code, 0, listed.said);
    assert.ok(listed.result.tools.length > 10);
    const called = await inspect(home, ["--method", "tools/call", "--tool-name", "vm_list"]);
    assert.equal(called.code, 0, called.said);
    assert.deepEqual(called.result.structuredContent, { vms: [] });
    const wrong = await inspect(home, [
      ...["--method", "tools/call", "--tool-name", "vm_info", "--tool-arg", "name=nobody"],
    ]);
    assert.equal(wrong.code, 5, wrong.said);
    const page = await inspect(home, ["--method", "resources/read", "--uri", "nido://guide"]);
    assert.equal(page.code, 0, page.said);
    assert.match(page.result.contents[0].text, /^# Nido for agents/);
  });
});

Deno.test("the inspector comes in over HTTP with the token, and not without", async () => {
  await withHome(async (home) => {
    await using server = await serve(home);
    const ask = (token: string) =>
      inspect(home, ["--method", "tools/list", "--strict"], [
        ...["--server-url", server.url, "--header", `Authorization: Bearer ${token}`],
      ]);
    const right = await ask(await readToken(home));
    assert.equal(right.code, 0, right.said);
    assert.equal((await ask("wrong")).code, 3);
  });
});
