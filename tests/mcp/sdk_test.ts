import assert from "node:assert/strict";
import { join } from "node:path";
import { fromFileUrl } from "../helpers/paths.ts";

Deno.test("only one file imports the SDK", async () => {
  const importing: string[] = [];
  const visit = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(fromFileUrl(`../../${folder}`))) {
      const path = `${folder}/${name}`;
      if (isDirectory) await visit(path);
      else if (/\.ts$/.test(name)) {
        const text = await Deno.readTextFile(fromFileUrl(`../../${path}`));
        if (/\bfrom "(npm:)?@modelcontextprotocol|import\("(npm:)?@modelcontext/.test(text)) {
          importing.push(path);
        }
      }
    }
  };
  for (const folder of ["mcp", "lib"]) await visit(folder);
  assert.deepEqual(importing, ["mcp/sdk.ts"]);
});

Deno.test("the SDK's types are known: a wrong type fails the check", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "wrong.ts");
  const sdk = new URL("../../mcp/sdk.ts", import.meta.url);
  const lines = [
    `import type { CallToolResult, ListedTool, RequestHandlerExtra, ServerNotification, ServerRequest, Transport } from "${sdk}";`,
    `import { ErrorCode, Protocol, StdioServerTransport, WebStandardStreamableHTTPServerTransport } from "${sdk}";`,
    "export const a: CallToolResult = 1;",
    "export const b: ListedTool = 1;",
    "export const c: RequestHandlerExtra<ServerRequest, ServerNotification> = 1;",
    "export const d: Transport = 1;",
    "export const e: string = ErrorCode.InvalidParams;",
    "export const f: Protocol<ServerRequest, ServerNotification, never> = 1;",
    "export const g: number = new StdioServerTransport();",
    "export const h: number = new WebStandardStreamableHTTPServerTransport({});",
  ];
  try {
    await Deno.writeTextFile(path, lines.join("\n"));
    const { stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--config", fromFileUrl("../../deno.json"), path],
      env: { NO_COLOR: "1" },
    }).output();
    assert.equal(new TextDecoder().decode(stderr).match(/^TS2322 /gm)?.length, 8);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
