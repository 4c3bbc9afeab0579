/**
 * Writes the types of the library, `lib/api/types.ts`, from the list of operations.
 *
 *     deno task api [--check]
 *
 * @module
 */
import { compile } from "json-schema-to-typescript";
import { nounAndMethod } from "../lib/api/call.ts";
import { load } from "../lib/cli/run.ts";
import type { Operation } from "../lib/operation.ts";
import { operations } from "../lib/operations.ts";
import { inputSchema, outputSchema } from "./reference.ts";

/** Where the types are kept. */
export const API_TYPES = "lib/api/types.ts";

const HEAD = `/**
 * What the library takes and gives, made from the operations by \`deno task api\`; don't edit it by hand.
 *
 * @module
 */

import type { CallOptions } from "./call.ts";
`;

/** The text of the file of types, as `deno fmt` leaves it. */
export async function apiTypes(): Promise<string> {
  const all = await Promise.all(Object.keys(operations).map(load));
  const shapes = await Promise.all(all.map(shapesOf));
  return await formatted([HEAD, ...shapes.flat(), nidoInterface(all)].join("\n"));
}

/** `vm.spawn` is `VmSpawn`. */
function typeName(operation: string): string {
  return operation.replace(/(?:^|[._])([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

async function shapesOf(operation: Operation): Promise<string[]> {
  const { name, summary } = operation;
  const told = (what: string) => `What ${what} \`${name}\`: ${lowerFirst(summary)}.`;
  return [
    await interfaceOf(inputSchema(operation), `${typeName(name)}Input`, told("goes into")),
    await interfaceOf(outputSchema(operation), `${typeName(name)}Output`, told("comes of")),
  ];
}

async function interfaceOf(schema: object, name: string, description: string): Promise<string> {
  return await compile({ ...schema, title: name, description } as never, name, {
    bannerComment: "",
    format: false,
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
  });
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}

function nidoInterface(all: Operation[]): string {
  const nouns = [...new Set(all.map(({ name }) => nounAndMethod(name)[0]))];
  const methods = (noun: string) =>
    all.filter(({ name }) => name.startsWith(`${noun}.`)).map((operation) => {
      const { name, summary, input } = operation;
      const mayBeEmpty = input.safeParse({}).success ? "?" : "";
      return `/** ${summary}. */
      ${nounAndMethod(name)[1]}(input${mayBeEmpty}: ${
        typeName(name)
      }Input, call?: CallOptions): Promise<${typeName(name)}Output>;`;
    });
  return `/** Everything that Nido can do, by noun and verb. */
export interface Nido {
${nouns.map((noun) => `${noun}: {\n${methods(noun).join("\n")}\n};`).join("\n")}
}
`;
}

async function formatted(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--ext=ts", "--line-width=100", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout);
}

if (import.meta.main) {
  const text = await apiTypes();
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(API_TYPES, text);
  else if (await Deno.readTextFile(API_TYPES) !== text) {
    console.error(`${API_TYPES} is not what the operations say: deno task api`);
    Deno.exit(1);
  }
}
