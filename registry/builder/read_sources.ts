import { NidoError } from "../../lib/errors.ts";
import { readYaml } from "../../lib/recipe/read_yaml.ts";
import { type Source, sources } from "./source.ts";

/** Reads `sources.yaml`; what is wrong with it is told with line and column. */
export async function readSources(text: string, path: string): Promise<Source[]> {
  const read = await readYaml(
    text,
    sources,
    (fact, problems) =>
      new NidoError("invalid_input", `Cannot read ${path}: ${fact}`, { details: { problems } }),
  );
  return read.sources as Source[];
}
