import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { fieldKind, innermost } from "../../../lib/operation.ts";
import { nest } from "../../helpers/nest.ts";
import { connect, textOf } from "../../mcp/client.ts";

/** What would lead out of a folder if it were put behind one, and what stands for itself. */
const HOSTILE = ["../../outside", "..", "/etc/passwd", "web/../../outside", "web\0", "-rf", ""];
/** Where a name belongs. */
const NAMES = [
  "name",
  "names",
  "label",
  "labels",
  "image",
  "template",
  "job",
  "into",
  "key",
  "vm",
  "references",
];
/** What says something, or is of the guest. */
const TEXTS = [
  ...["user", "userData", "sshKeys", "ports", "removePorts", "command", "cwd", "stdin", "path"],
  ...["content", "mode", "description", "source", "destination", "words", "digest", "sha256"],
];
const RIGHT: Record<string, unknown> = {
  name: "web",
  vm: "web",
  names: ["web"],
  references: ["zebra"],
  digest: "aaaaaaaaaaaa",
  label: "s1",
  labels: ["s1"],
  job: "web.ffffff",
  key: "memory",
  image: "tiny",
  template: "none",
  path: "/x",
  content: "",
  command: ["true"],
  show: "on",
  source: "/x",
  destination: "/x",
  file: "./none",
};

Deno.test("no name and no path of any tool leads out of its folder", async () => {
  await using made = await nest();
  await made.spawn("web", { wait: "none" });
  const workspace = join(made.folder, "work");
  const outside = join(made.folder, "outside");
  for (const folder of [workspace, outside]) await Deno.mkdir(folder);
  await Deno.writeTextFile(join(outside, "kept"), "kept");
  await using mcp = await connect({
    home: made.home,
    toolsets: ["all"],
    workspace,
    answerWithinMs: 5000,
  });
  const before = await treeOf(made.folder);
  let calls = 0;
  for (const { name, operation } of mcp.service.tools.values()) {
    const shape = operation.input.shape as Record<string, z.ZodType>;
    const keys = Object.keys(shape).filter((key) => takesText(shape[key]!));
    for (const key of keys) {
      if (fieldKind(shape[key]!) === "commandLine") continue;
      const isPath = fieldKind(shape[key]!) === "hostPath";
      if (TEXTS.includes(key) && !isPath) continue;
      assert.ok(isPath || NAMES.includes(key), `${name}: is ${key} a name or a text?`);
      const isList = innermost(shape[key]!) instanceof z.ZodArray;
      for (const hostile of HOSTILE.filter((value) => !isPath || /\.\.|\/etc/.test(value))) {
        const right = Object.entries(RIGHT).filter(([key]) => isNeeded(shape[key]));
        const input = {
          ...Object.fromEntries(right),
          [key]: isList ? [hostile] : hostile,
          confirm: true,
        };
        const told = `${name} ${JSON.stringify(input)}`;
        const result = await mcp.call(name, input);
        const text = textOf(result);
        assert.ok(result.isError, `${told}: ${text}`);
        assert.match(text, /^(invalid_input|not_found|denied): /, told);
        calls++;
      }
    }
  }
  for (const name of HOSTILE.map(encodeURIComponent)) {
    for (const page of [`nido://vms/${name}`, `nido://vms/${name}/console`]) {
      await assert.rejects(mcp.client.readResource({ uri: page }), { code: -32002 }, page);
    }
  }
  assert.ok(calls > 150, `${calls}`);
  assert.deepEqual(await treeOf(made.folder), before);
});

function takesText(schema: z.ZodType): boolean {
  const inner = innermost(schema);
  return inner instanceof z.ZodString || inner instanceof z.ZodPipe ||
    (inner instanceof z.ZodArray && inner.element instanceof z.ZodString);
}

function isNeeded(schema: z.ZodType | undefined): boolean {
  return schema !== undefined && !schema.safeParse(undefined).success;
}

/** Every file with its size and time, but what a refused call may write. */
async function treeOf(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = async (path: string) => {
    for await (const { name, isDirectory } of Deno.readDir(join(folder, path))) {
      const inner = join(path, name);
      if (/^home\/(audit\.jsonl|facts|jobs|locks|run)/.test(inner)) continue;
      if (isDirectory) {
        await visit(inner);
        continue;
      }
      const { size, mtime } = await Deno.lstat(join(folder, inner));
      found[inner] = `${size} ${mtime?.getTime()}`;
    }
  };
  await visit("");
  return found;
}
