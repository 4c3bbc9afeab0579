import type { Document, Node, YAMLMap } from "yaml";

/** A cloud-config that was read: its keys, and what stands under them as plain values. */
export type CloudConfigValues = Record<string, unknown>;

// These would give Nido's own user another name or a password, and it must keep neither.
const REFUSED: Record<string, string> = {
  user: "user would replace Nido's own login user; list more users under users, or choose the " +
    "login user's name when the VM is made",
  password: "password would give Nido's own login user a password, and it has none; give passwd " +
    "to another user under users",
};

/**
 * Reads a cloud-config. What isn't one (broken YAML, a root that is not a map, a key given twice, a
 * key that would take over Nido's login user) is a SyntaxError with line and column.
 */
export async function readCloudConfig(text: string): Promise<CloudConfigValues> {
  const { document, fail } = await parse(text);
  const { isMap, isScalar } = await import("yaml");
  const root = document.contents;
  if (root === null) throw new SyntaxError("line 1, column 1: it holds no settings");
  if (!isMap(root)) fail(root, "a cloud-config must be a map of settings at its root");
  for (const { key } of (root as YAMLMap<Node>).items) {
    if (!isScalar(key)) fail(key, "a setting's name must be plain text");
    const reason = Object.hasOwn(REFUSED, String(key)) ? REFUSED[String(key)] : undefined;
    if (reason) fail(key, reason);
  }
  return toValues(document) as CloudConfigValues;
}

/** Reads a cloud-config-archive: a list of texts, or of maps with `type` and `content`. */
export async function readArchive(text: string): Promise<{ type?: string; content: string }[]> {
  const { document, fail } = await parse(text);
  const { isSeq } = await import("yaml");
  const root = document.contents;
  if (root === null) throw new SyntaxError("line 1, column 1: it holds no entries");
  if (!isSeq<Node>(root)) return fail(root, "a cloud-config-archive must be a list at its root");
  const values = toValues(document) as unknown[];
  return values.map((value, i) => {
    if (typeof value === "string") return { content: value };
    const { content, type } = (value ?? {}) as Record<string, unknown>;
    if (typeof content === "string") {
      return { content, type: typeof type === "string" ? type.toLowerCase() : undefined };
    }
    return fail(root.items[i]!, "an archive's entry must be a text, or a map with content");
  });
}

async function parse(text: string) {
  const { LineCounter, parseDocument } = await import("yaml");
  const lineCounter = new LineCounter();
  // cloud-init reads YAML 1.1 (PyYAML): `yes` is true there, `0755` is octal.
  const document = parseDocument(text, { version: "1.1", lineCounter, prettyErrors: false });
  const failAt = (offset: number, reason: string): never => {
    const { line, col } = lineCounter.linePos(offset);
    throw new SyntaxError(`line ${line}, column ${col}: ${reason}`);
  };
  const [error] = document.errors;
  if (error?.code === "MULTIPLE_DOCS") failAt(error.pos[0], "a second YAML document starts here");
  if (error) failAt(error.pos[0], error.message.replace(/\.$/, ""));
  const fail = (node: Node, reason: string) => failAt(node.range?.[0] ?? 0, reason);
  return { document, fail };
}

function toValues(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new SyntaxError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
