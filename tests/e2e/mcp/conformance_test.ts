import assert from "node:assert/strict";
import { join } from "node:path";
import { makeHandler } from "../../../mcp/http/handler.ts";
import { makeService } from "../../../mcp/service.ts";
import { withHome } from "../../helpers/command.ts";
import { makeFixture } from "./fixture.ts";
import { CONFORMANCE, runPackage } from "./third_party.ts";

/** Scenarios that need the suite's own tools, prompts and resources, which no real server has. */
const FIXTURES_NEEDED = [
  "logging-set-level",
  "tools-call-simple-text",
  "tools-call-image",
  "tools-call-audio",
  "tools-call-embedded-resource",
  "tools-call-mixed-content",
  "tools-call-with-logging",
  "tools-call-error",
  "tools-call-with-progress",
  "tools-call-sampling",
  "tools-call-elicitation",
  "elicitation-sep1034-defaults",
  "elicitation-sep1330-enums",
  "resources-read-text",
  "resources-read-binary",
  "resources-templates-read",
  "resources-subscribe",
  "resources-unsubscribe",
  "prompts-get-simple",
  "prompts-get-with-args",
  "prompts-get-embedded-resource",
  "prompts-get-with-image",
];

/** Serves with Nido's HTTP handler and runs the suite against it. */
async function suite(
  make: typeof makeFixture | undefined,
  args: (folder: string) => Promise<string[]> | string[],
): Promise<{ code: number; summary: string }> {
  let answer = { code: -1, summary: "" };
  await withHome(async (folder) => {
    const service = await makeService({ home: join(folder, "home") });
    const handler = makeHandler(service, { hosts: [] }, undefined, make);
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      handler.handle,
    );
    const url = `http://127.0.0.1:${server.addr.port}/mcp`;
    try {
      const ended = await runPackage(
        CONFORMANCE,
        ["server", "--url", url, "-o", join(folder, "results"), ...await args(folder)],
        folder,
      );
      const summary = ended.stdout.slice(ended.stdout.indexOf("=== SUMMARY ===")) + ended.stderr;
      answer = { code: ended.code, summary };
    } finally {
      await handler.close();
      await server.shutdown();
    }
  });
  return answer;
}

Deno.test("Nido's HTTP conforms to 2025-11-25, with the suite's own fixtures on it", async () => {
  const { code, summary } = await suite(makeFixture, () => ["--requirements", "2025-11-25"]);
  console.log(/Total: .*/.exec(summary)?.[0]);
  assert.equal(code, 0, summary);
});

Deno.test("the real server fails only where the suite's fixtures are needed", async () => {
  const { code, summary } = await suite(undefined, async (folder) => {
    const baseline = join(folder, "baseline.yml");
    const lines = ["server:", ...FIXTURES_NEEDED.map((name) => `  - ${name}`)];
    await Deno.writeTextFile(baseline, `${lines.join("\n")}\n`);
    const version = ["--suite", "active", "--spec-version", "2025-11-25"];
    return [...version, "--expected-failures", baseline];
  });
  console.log(/Total: .*/.exec(summary)?.[0]);
  assert.equal(code, 0, summary);
});
