import assert from "node:assert/strict";
import { z } from "zod";
import { fieldsOf } from "../../lib/cli/fields.ts";
import { load } from "../../lib/cli/run.ts";
import { terminal } from "../../lib/cli/terminal.ts";
import { resolve, wordsOf } from "../../lib/cli/words.ts";
import { aliases, operations } from "../../lib/operations.ts";

const names = Object.keys(operations);
const all = await Promise.all(names.map(load));

Deno.test("every operation is listed under its own name, noun.verb", () => {
  for (const [index, { name }] of all.entries()) {
    assert.equal(name, names[index]);
    assert.match(name, /^[a-z]+\.[a-z]+(_[a-z]+)*$/);
  }
});

Deno.test("summaries are one short line without a period; descriptions are sentences", () => {
  for (const { name, summary, description } of all) {
    assert.match(summary, /^[A-Z][^\n]{6,78}[^.\s]$/, name);
    if (description !== undefined) assert.match(description, /^[A-Z`].*\.$/s, name);
  }
});

Deno.test("every field is described, in and out", () => {
  for (const { name, input, output } of all) {
    for (const schema of [input, output]) {
      for (const [path, shape] of properties(schema)) {
        assert.ok(shape.description, `${name}: ${path} has no description`);
      }
    }
  }
});

Deno.test("inputs and outputs are closed objects, and numbers that come in are bounded", () => {
  for (const { name, input, output } of all) {
    assert.equal(z.toJSONSchema(input).additionalProperties, false, name);
    assert.equal(z.toJSONSchema(output).additionalProperties, false, name);
    for (const [path, shape] of properties(input)) {
      if (shape.type !== "integer" && shape.type !== "number") continue;
      const { MAX_SAFE_INTEGER, MIN_SAFE_INTEGER } = Number;
      const bounded = shape.minimum !== undefined && shape.minimum !== MIN_SAFE_INTEGER &&
        shape.maximum !== undefined && shape.maximum !== MAX_SAFE_INTEGER;
      assert.ok(bounded, `${name}: ${path} has no bounds`);
    }
  }
});

Deno.test("positions are input keys, required ones first, and only the last may be a list", () => {
  for (const operation of all) {
    const positions = fieldsOf(operation).filter(({ positional }) => positional);
    assert.deepEqual(positions.map(({ key }) => key), operation.positional, operation.name);
    const required = positions.map(({ required }) => required);
    assert.deepEqual(required, required.toSorted((a, b) => Number(b) - Number(a)), operation.name);
    for (const { shape, key } of positions.slice(0, -1)) {
      assert.notEqual(shape, "list", `${operation.name}: ${key}`);
    }
    if (operation.passThrough) assert.equal(positions.at(-1)?.shape, "list", operation.name);
  }
});

Deno.test("flags are distinct and none hides one that every command has", () => {
  for (const operation of all) {
    const fields = fieldsOf(operation);
    const flags = fields.flatMap(({ positional, flag, option }) =>
      positional ? option ?? [] : flag
    );
    const shorts = fields.flatMap(({ short }) => short ?? []);
    const own = [...flags, "--json", "--quiet", "--help", ...shorts, "q", "h"];
    assert.equal(new Set(own).size, own.length, `${operation.name}: ${own.join(" ")}`);
  }
});

Deno.test("words name one thing each", () => {
  const nouns = new Set(names.map((name) => name.split(".")[0]!).filter((noun) => noun !== "vm"));
  nouns.delete("system");
  const words = [
    ...names.map(wordsOf),
    ...Object.keys(aliases),
    ...Object.keys(terminal),
    ...nouns,
  ];
  assert.equal(new Set(words).size, words.length, words.toSorted().join(" "));
  for (const name of names) {
    assert.deepEqual(resolve(wordsOf(name).split(" ")), { operation: name, rest: [] });
    const [noun = "", verb = ""] = name.split(".");
    assert.deepEqual(resolve([noun, verb.replaceAll("_", "-")]), { operation: name, rest: [] });
  }
});

Deno.test("every alias leads to an operation", () => {
  for (const [alias, name] of Object.entries(aliases)) {
    assert.deepEqual(resolve(alias.split(" ")), { operation: name, rest: [] });
  }
});

Deno.test("the commands that are no operations are these", () => {
  assert.deepEqual(Object.keys(terminal), [
    "ssh",
    "cp",
    "console",
    "mcp",
    "register",
    "completion",
    "complete",
    "perform",
    "help",
  ]);
});

Deno.test("what is on one surface only is on the command line", () => {
  for (const { name, surfaces } of all) {
    assert.ok(surfaces.includes("cli"), name);
    if (surfaces.length < 3) assert.deepEqual(surfaces, ["cli"], name);
  }
});

Deno.test("examples are command lines of the operation", () => {
  for (const { name, examples = [] } of all) {
    for (const example of examples) {
      const words = /\bnido (.*)$/.exec(example)?.[1]?.split(" ") ?? [];
      const named = resolve(words);
      assert.equal("operation" in named && named.operation, name, example);
    }
  }
});

interface Shape {
  type?: string;
  description?: string;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, Shape>;
  items?: Shape;
  anyOf?: Shape[];
}

/** Every property of a schema at any depth, with its path. */
function properties(schema: z.ZodType): [string, Shape][] {
  const walk = (path: string, shape: Shape): [string, Shape][] => [
    ...Object.entries(shape.properties ?? {}).flatMap(([key, inner]): [string, Shape][] => [
      [`${path}.${key}`, inner],
      ...walk(`${path}.${key}`, inner),
    ]),
    ...(shape.items ? walk(`${path}[]`, shape.items) : []),
    ...(shape.anyOf ?? []).flatMap((inner) => walk(path, inner)),
  ];
  return walk("", z.toJSONSchema(schema, { io: "input" }) as Shape);
}
