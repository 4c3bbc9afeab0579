import { dirname, join, normalize } from "node:path";

/** One import that breaks a rule. */
export interface Violation {
  file: string;
  imports: string;
  rule: string;
}

/** A source file of the project: where it is and what it says. */
export interface Source {
  path: string;
  text: string;
}

const RULES = {
  direction: "Imports run one way: errors, operation <- store, host <- qemu <- nouns <- verbs <- " +
    "operations <- cli, server, mcp <- main",
  surface: "A surface never imports a domain folder: it goes through lib/operations.ts; " +
    "only the terminal verbs console and ssh, which are no operations, open a noun",
  leaves:
    "Nouns are shared, verbs are leaves: a verb is imported from its own folder's verbs and " +
    "from folders to the right of it: config, download, catalog, recipe, guest, image, cache, " +
    "moment, vm, job, snapshot, template, build, registry, system",
  process: "lib/host/process.ts is the only user of Deno.Command and node:child_process",
  length: "A file has at most 400 lines",
};

const FOLDERS = [
  "config",
  "download",
  "catalog",
  "recipe",
  "guest",
  "image",
  "cache",
  "moment",
  "vm",
  "job",
  "snapshot",
  "template",
  "build",
  "registry",
  "system",
];
const SURFACES = ["lib/cli", "lib/api", "lib/server", "mcp"];
const ROOT = { ground: 0, store: 1, host: 1, qemu: 2, noun: 3, verb: 4, operations: 5, surface: 6 };
const MAIN = 7;
const GENERATED = "lib/api/types.ts";
const TERMINAL_VERBS = ["lib/cli/console.ts", "lib/cli/ssh.ts"];

/** Finds every import that runs the wrong way. */
export function findViolations(sources: Source[]): Violation[] {
  const verbs = verbsOf(sources);
  return sources.flatMap(({ path, text }) => {
    const found: Violation[] = [];
    const blame = (imports: string, rule: string) => found.push({ file: path, imports, rule });
    if (text.split("\n").length > 401 && path !== GENERATED) {
      blame(`${text.split("\n").length - 1} lines`, RULES.length);
    }
    const startsPrograms = /\bDeno\.Command\b|node:child_process/.test(text);
    if (startsPrograms && path !== "lib/host/process.ts") blame("Deno.Command", RULES.process);
    for (const target of importsOf({ path, text })) {
      const rule = brokenRule(path, target, verbs);
      if (rule) blame(target, rule);
    }
    return found;
  });
}

/** Files that declare an operation, and those beside the noun file that build on one. */
function verbsOf(sources: Source[]): Set<string> {
  const verbs = new Set(
    sources.filter(({ text }) => /^export default operation\(/m.test(text)).map(({ path }) => path),
  );
  for (let known = -1; known < verbs.size;) {
    known = verbs.size;
    for (const source of sources) {
      const folder = folderOf(source.path);
      if (!FOLDERS.includes(folder) || source.path === `lib/${folder}/${folder}.ts`) continue;
      if (importsOf(source).some((target) => verbs.has(target))) verbs.add(source.path);
    }
  }
  return verbs;
}

function brokenRule(from: string, to: string, verbs: Set<string>): string | undefined {
  const [rank, other] = [rankOf(from, verbs), rankOf(to, verbs)];
  if (TERMINAL_VERBS.includes(from) && other === ROOT.noun) return undefined;
  if (rank === ROOT.surface && (other === ROOT.noun || other === ROOT.verb)) return RULES.surface;
  if (other > rank) return RULES.direction;
  if (rank !== ROOT.verb || other !== ROOT.verb) return undefined;
  const [own, theirs] = [folderOf(from), folderOf(to)].map((name) => FOLDERS.indexOf(name));
  return theirs! > own! ? RULES.leaves : undefined;
}

function rankOf(path: string, verbs: Set<string>): number {
  if (path === "main.ts") return MAIN;
  if (path === "lib/operations.ts") return ROOT.operations;
  if (SURFACES.some((folder) => path.startsWith(`${folder}/`))) return ROOT.surface;
  const folder = folderOf(path);
  if (folder === "store" || folder === "host" || folder === "qemu") return ROOT[folder];
  if (FOLDERS.includes(folder)) return verbs.has(path) ? ROOT.verb : ROOT.noun;
  return ROOT.ground;
}

/** `lib/vm/checks/x.ts` is of `vm`. */
function folderOf(path: string): string {
  const parts = path.split("/");
  return parts.length > 2 ? parts[1]! : "";
}

/** The project's own files that a file imports, at once or later. */
function importsOf({ path, text }: Source): string[] {
  const code = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, "");
  const specifiers = code.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)"(\.{1,2}\/[^"]+\.ts)"/g);
  return Array.from(specifiers, ([, target]) => normalize(join(dirname(path), target!)))
    .map((target) => target.replaceAll("\\", "/"));
}

/** Reads the sources below some folders of the project. */
export async function readSources(root: string, folders: string[]): Promise<Source[]> {
  const sources: Source[] = [];
  const visit = async (path: string): Promise<void> => {
    for await (const entry of Deno.readDir(join(root, path))) {
      const inner = `${path}/${entry.name}`;
      if (entry.isDirectory) await visit(inner);
      else if (entry.name.endsWith(".ts")) {
        sources.push({ path: inner, text: await Deno.readTextFile(join(root, inner)) });
      }
    }
  };
  for (const folder of folders) {
    await visit(folder).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // a folder that is not there yet
    });
  }
  const main = { path: "main.ts", text: await Deno.readTextFile(join(root, "main.ts")) };
  return [...sources, main].sort((a, b) => a.path < b.path ? -1 : 1);
}

if (import.meta.main) {
  const violations = findViolations(await readSources(".", ["lib", "mcp"]));
  for (const { file, imports, rule } of violations) {
    console.error(`${file}: ${imports}\n  ${rule}`);
  }
  if (violations.length > 0) Deno.exit(1);
}
