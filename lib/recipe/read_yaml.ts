import type { Document, Node } from "yaml";
import type { z } from "zod";

/**
 * Reads one YAML document of a known shape. What isn't one is told with line and column, all
 * problems of the shape at once, in the error that `refuse` makes of them.
 */
export async function readYaml<T extends z.ZodType>(
  text: string,
  shape: T,
  refuse: (fact: string, problems: string[]) => Error,
): Promise<z.output<T>> {
  const { isMap, LineCounter, parseDocument } = await import("yaml");
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const at = (offset: number, problem: string) => {
    const { line, col } = lineCounter.linePos(offset);
    return `line ${line}, column ${col}: ${problem}`;
  };
  const fail = (problems: string[]) => refuse(problems.slice(0, 8).join("; "), problems);
  if (document.errors.length > 0) {
    throw fail(document.errors.map(({ pos, message }) => at(pos[0], message.replace(/\.$/, ""))));
  }
  if (!isMap(document.contents)) {
    throw fail([at(document.contents?.range?.[0] ?? 0, "it must be a map of settings")]);
  }
  const checked = shape.safeParse(values(document, (problem) => fail([at(0, problem)])));
  if (checked.success) return checked.data;
  throw fail(
    checked.error.issues.flatMap((issue) => {
      const path = issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => [...issue.path, key])
        : [issue.path];
      return path.map((path) => {
        const problem = issue.code === "unrecognized_keys" ? "no such setting" : issue.message;
        return at(placeOf(document, path), `${path.join(".")}: ${problem}`);
      });
    }),
  );
}

function values(document: Document, refuse: (problem: string) => Error): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message : String(cause));
  }
}

/** Where a value begins; where it is missing, what it is missing in. */
function placeOf(document: Document, path: PropertyKey[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as Node | undefined;
    if (node?.range) return node.range[0];
  }
  return 0;
}
