import { parseArgs } from "node:util";
import { NidoError } from "../errors.ts";
import { callOperation, load } from "./run.ts";

/** Copies between this machine and a VM: an upload or a download, by which side is `NAME:PATH`. */
export async function cp(argv: string[]): Promise<number> {
  const { paths, json, quiet } = read(argv);
  const [source = "", destination = ""] = paths;
  if (paths.length !== 2) throw refused(`expected two paths, got ${paths.length}`);
  const [from, to] = [guestPath(source), guestPath(destination)];
  if (from && to) throw refused("both paths are in a VM; copy out first, then in");
  const manner = { json, quiet };
  if (to) {
    const input = { name: to.name, source, destination: to.path };
    return await callOperation(await load("vm.upload"), input, manner);
  }
  if (from) {
    const input = { name: from.name, source: from.path, destination };
    return await callOperation(await load("vm.download"), input, manner);
  }
  throw refused("neither path is in a VM");
}

function read(argv: string[]): { paths: string[]; json: boolean; quiet: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        quiet: { type: "boolean", short: "q", default: false },
        recursive: { type: "boolean", short: "r" }, // from habit: folders are copied anyway
      },
    });
    return { paths: positionals, json: values.json, quiet: values.quiet };
  } catch (cause) {
    throw refused(cause instanceof Error ? cause.message.split(".")[0]! : String(cause));
  }
}

/** Splits `NAME:PATH`; a path with a slash before its colon, and a Windows drive, are of this machine. */
export function guestPath(text: string): { name: string; path: string } | undefined {
  const match = /^([^/\\:]+):(.*)$/s.exec(text);
  if (!match) return undefined;
  const [, name = "", path = ""] = match;
  if (Deno.build.os === "windows" && name.length === 1) return undefined;
  return { name, path: path || "." };
}

function refused(fact: string): NidoError {
  return new NidoError("invalid_input", `Cannot run cp: ${fact}`, { hint: "nido cp --help" });
}
