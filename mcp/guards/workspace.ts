import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { NidoError } from "../../lib/errors.ts";
import { fieldKind, type Guard } from "../../lib/operation.ts";

/** Keeps calls to the paths inside one folder of this machine, or to none at all. */
export function workspaceGuard(workspace: string | undefined): Guard {
  return async ({ operation, input }, go) => {
    const checked = { ...input };
    for (const [key, schema] of Object.entries(operation.input.shape)) {
      const kind = fieldKind(schema);
      const value = input[key];
      if (typeof value !== "string") continue;
      if (kind !== "hostPath" && !(kind === "nameOrPath" && isPath(value))) continue;
      if (workspace === undefined) throw noWorkspace(operation.name, value);
      checked[key] = await insideOf(workspace, value, operation.name);
    }
    return await go(checked);
  };
}

/** A reference that could be a file: with a separator, a dot in front, or the ending of a disk. */
function isPath(reference: string): boolean {
  return !/^https?:\/\//i.test(reference) &&
    /[/\\]|^\.|\.(xz|gz|bz2|zst|tar|qcow2?|img|raw|disk|vmdk|vhdx|vdi|nido)$/i.test(reference);
}

/** The real path of what is named, which must be in the folder whatever links there are. */
async function insideOf(workspace: string, given: string, operation: string): Promise<string> {
  const real = await realPath(resolve(workspace, given));
  const way = relative(await Deno.realPath(workspace), real);
  const leadsOut = way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way);
  if (!leadsOut) return real;
  throw new NidoError(
    "denied",
    `Cannot run ${operation}: ${given} is outside of the workspace`,
    { hint: "Name a path inside the workspace, such as ./file" },
  );
}

/** What a path leads to, as far as it is there; a link that leads nowhere is where it would lead. */
async function realPath(path: string, links = 0): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) || links > 40) throw error;
    const link = await Deno.readLink(path).catch(() => undefined);
    if (link !== undefined) return await realPath(resolve(dirname(path), link), links + 1);
    return join(await realPath(dirname(path), links), basename(path));
  }
}

function noWorkspace(operation: string, value: string): NidoError {
  return new NidoError(
    "denied",
    `Cannot run ${operation} with ${value}: this server reaches no files of its host`,
    { hint: "Somebody must start it with nido mcp --workspace FOLDER" },
  );
}
