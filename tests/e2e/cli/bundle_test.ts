import assert from "node:assert/strict";
import { join } from "node:path";
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { files } from "../../../lib/store/files.ts";
import { namesIn } from "../../../lib/store/record.ts";
import { nido, type Said } from "../../helpers/command.ts";
import { sha256 } from "../../image/fixture.ts";
import { denoDir } from "../mcp/third_party.ts";
import { startSshd } from "../../helpers/sshd.ts";
import { bundle } from "../../../scripts/build/bundle.ts";
import { nest } from "../../helpers/nest.ts";
import { fromFileUrl } from "../../helpers/paths.ts";

const ROOT = fromFileUrl("../..");

Deno.test("all of Nido in one file does what the sources do", async (t) => {
  await using at = await nest();
  const script = join(at.folder, "nido.js");
  const build = async (file: string) => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "build", file],
      cwd: ROOT,
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  };
  const both = async (args: string[]): Promise<[Said, Said]> => [
    await nido(args, { home: at.home, script }),
    await nido(args, { home: at.home }),
  ];

  await t.step("the same sources give the same bytes", async () => {
    await build(script);
    const again = join(at.folder, "again.js");
    await build(again);
    assert.equal(await sha256(script), await sha256(again));
  });

  await t.step("it knows what it was built from, and nothing of where", async () => {
    const { stdout } = await nido(["version", "--json"], { home: at.home, script });
    const { commit, kind } = JSON.parse(stdout).data;
    assert.equal(kind, "bundle");
    assert.match(commit, /^[0-9a-f]{12}(-dirty)?$/);
    const text = await Deno.readTextFile(script);
    for (const place of [await denoDir(), ROOT]) {
      assert.ok(!text.includes(place.replace(/^\/|\/$/g, "")), place);
    }
  });

  await t.step("help, version, errors and the surface of agents are the same", async () => {
    for (const args of [["--help"], ["--version"], ["spwan"], ["mcp", "--describe"]]) {
      const [bundled, source] = await both(args);
      assert.deepEqual(bundled, source, args.join(" "));
    }
  });

  await t.step("its SSH works", async () => {
    await using sshd = await startSshd();
    const file = join(at.folder, "ssh.js");
    await bundle(file, "tests/fixtures/run_over_ssh.ts");
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", file, JSON.stringify(sshd.target), "echo", "hello"],
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "hello\n", new TextDecoder().decode(stderr));
  });

  await t.step("it makes and deletes a VM", async () => {
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await nido(args, { home: at.home, script });
      assert.equal(code, 0, stderr);
      return stdout;
    };
    await run("spawn", "one", "--wait", "running");
    assert.equal((await at.row("one"))?.state, "running");
    await run("snapshot", "create", "one", "good");
    await run("delete", "one", "--force");
    await at.assertEmpty();
  });

  await t.step("it does an agent's long work in a process of its own", async () => {
    const client = new Client({ name: "test", version: "1" });
    const args = ["run", "-A", script, "mcp", "--toolsets", "image"];
    const env = { ...Deno.env.toObject(), NIDO_HOME: at.home };
    await client.connect(new StdioClientTransport({ command: Deno.execPath(), args, env }));
    const input = { name: "tiny", timeoutSeconds: 1 };
    const { isError, content } = await client.callTool({ name: "image_warm", arguments: input });
    await client.close();
    assert.ok(isError);
    assert.match(JSON.stringify(content), /timeout: /);
    assert.deepEqual((await namesIn(files.jobs(at.home))).map((id) => id.slice(0, 5)), ["host-"]);
  });
});
