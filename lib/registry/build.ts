import { z } from "zod";
import type { Context } from "../context.ts";
import { field, operation } from "../operation.ts";

/** The exit status of a build that changed the catalog. */
const CHANGED = 20;
/** The exit status of a build whose outcome a person has to look at. */
const NEEDS_PERSON = 21;

const problem = z.strictObject({
  about: z.string().describe("The image, with version and architecture where it is about one"),
  problem: z.string().describe("What is wrong"),
  needsPerson: z.boolean().describe("It doesn't mend by itself"),
});

const output = z.strictObject({
  path: z.string().describe("The catalog"),
  changed: z.boolean().describe("It is another one than before"),
  needsPerson: z.boolean().describe("A person has to look at some problem"),
  diff: z.array(z.string()).describe("What changed, a line for each fact"),
  problems: z.array(problem).describe("What its maintainers should know"),
});

/** Makes the catalog of a checkout of Nido anew from its sources. */
export async function buildCatalog(
  context: Context,
  order: { folder: string; accept: string[]; dryRun: boolean },
): Promise<z.output<typeof output>> {
  const { buildRegistry } = await import("../../registry/builder/mod.ts");
  const { webFetch } = await import("../../registry/builder/fetch.ts");
  const { signal, now, report } = context;
  const outcome = await buildRegistry({
    ...order,
    now: now(),
    fetch: webFetch({ signal }),
    done: (name) => report({ stage: "sources", message: `Read what ${name} offers` }),
  });
  return { ...outcome, needsPerson: outcome.problems.some(({ needsPerson }) => needsPerson) };
}

export default operation({
  name: "registry.build",
  summary: "Make the catalog of images anew from its sources",
  description: "For those who maintain Nido: in a checkout of it, asks every publisher of " +
    "registry/sources.yaml what it offers now and writes registry/images.json. It exits with " +
    `${CHANGED} when the catalog changed, with ${NEEDS_PERSON} when a person has to look: ` +
    "something disappeared, went back, changed under its address or has failed for a week. Such " +
    "an image keeps what was known last until --accept names it.",
  effect: "change",
  openWorld: true,
  input: z.strictObject({
    folder: field(
      "hostPath",
      z.string().min(1).max(4096).default("registry").describe(
        "Where sources.yaml and images.json are",
      ),
    ),
    accept: z.array(z.string().min(1).max(100)).max(100).default([]).describe(
      "NAME or NAME:VERSION to take as it was found, or to drop when it is gone",
    ),
    dryRun: z.boolean().default(false).describe("Only say what would change"),
  }),
  output,
  surfaces: ["cli"],
  examples: ["nido registry build --dry-run", "nido registry build --accept debian:12"],
  text: ({ path, changed, diff, problems }) =>
    [
      ...diff,
      ...problems.map(({ about, problem, needsPerson }) =>
        `${needsPerson ? "!!" : "!"} ${about}: ${problem}`
      ),
      changed ? `${path} has changed` : `${path} is as it was`,
    ].join("\n"),
  exitStatus: ({ changed, needsPerson }) => needsPerson ? NEEDS_PERSON : changed ? CHANGED : 0,
  run: (context, order) => buildCatalog(context, order),
});
