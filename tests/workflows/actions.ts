import { join } from "node:path";
import { parse } from "yaml";
import { fromFileUrl } from "../helpers/paths.ts";

/** The root of the project. */
export const ROOT = fromFileUrl("../..");

/** The composite action that users call. */
export const SETUP = ".github/actions/setup-nido/action.yml";

/** A step of a job or of a composite action. */
export interface Step {
  name?: string;
  run?: string;
  uses?: string;
  shell?: string;
  env?: Record<string, string>;
  with?: Record<string, string>;
}

/** A job of a workflow. */
export interface Job {
  uses?: string;
  steps?: Step[];
  permissions?: Record<string, string>;
  strategy?: { matrix: Record<string, string[]> };
}

/** A workflow, and where it is. */
export interface Workflow {
  path: string;
  text: string;
  permissions?: Record<string, string>;
  jobs: Record<string, Job>;
}

/** A composite action, as its file tells it. */
export interface Action {
  inputs: Record<string, { description?: string; default?: string }>;
  outputs: Record<string, { description?: string; value: string }>;
  runs: { using: string; steps: Step[] };
}

/** All workflows of the project. */
export async function workflows(): Promise<Workflow[]> {
  const folder = ".github/workflows";
  const names = await Array.fromAsync(Deno.readDir(join(ROOT, folder)), ({ name }) => name);
  return await Promise.all(
    names.sort().map(async (name) => {
      const path = `${folder}/${name}`;
      const text = await Deno.readTextFile(join(ROOT, path));
      return { path, text, ...parse(text) };
    }),
  );
}

/** The composite action. */
export async function setupAction(): Promise<Action> {
  return parse(await Deno.readTextFile(join(ROOT, SETUP)));
}

/** Every step of every workflow and of the action, with the file that it is in. */
export async function steps(): Promise<(Step & { path: string })[]> {
  const inWorkflows = (await workflows()).flatMap(({ path, jobs }) =>
    Object.values(jobs).flatMap((job) => job.steps ?? []).map((step) => ({ path, ...step }))
  );
  const inAction = (await setupAction()).runs.steps.map((step) => ({ path: SETUP, ...step }));
  return [...inWorkflows, ...inAction];
}

/** The paths of files in the project that a shell text names. */
export function filesIn(script: string): string[] {
  return Array.from(
    script.matchAll(
      /(?<![\w/.-])(?:"?\$GITHUB_ACTION_PATH\/\.\.\/\.\.\/\.\.\/)?((?:scripts|\.ci)\/[\w./-]+)/g,
    ),
    ([, path]) => path!,
  );
}
