import { isScalar, LineCounter, parseDocument, visit } from "yaml";
import type { Document } from "yaml";
import { NidoError } from "../../lib/errors.ts";
import { type Source, sources } from "./source.ts";

/** Reads `sources.yaml`; an error names the line and the column. */
export function readSources(text: string, path: string): Source[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const wrong = (offset: number, fact: string) => {
    const { line, col } = lines.linePos(offset);
    return new NidoError("invalid_input", `Cannot read ${path}:${line}:${col}: ${fact}`);
  };
  const [error] = document.errors;
  if (error) throw wrong(error.pos[0], error.message.split("\n")[0]!.replace(/ at line .*$/, ""));
  visit(document, {
    Pair(_, { key }) {
      if (!isScalar(key) || typeof key.value === "string") return;
      // 24.10 would be the number 24.1.
      throw wrong(key.range?.[0] ?? 0, `put ${key.source} in quotes: it is no number`);
    },
  });
  const read = sources.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (read.success) return read.data.sources as Source[];
  const [issue] = read.error.issues;
  const inside = issue!.code === "unrecognized_keys" ? [issue!.keys[0]!] : [];
  throw wrong(
    offsetOf(document, [...issue!.path, ...inside]),
    `${issue!.path.join(".") || "it"}: ${issue!.message}`,
  );
}

/** Where a value is, or the nearest thing around one that is missing. */
function offsetOf(document: Document, path: PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as { range?: [number] } | undefined;
    if (node?.range) return node.range[0];
  }
  return 0;
}
