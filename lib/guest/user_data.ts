import { NidoError } from "../errors.ts";
import { type CloudConfigValues, readArchive, readCloudConfig } from "./cloud_config.ts";
import { isMimeMessage, type MimePart, readMimeMessage, writeMimeMessage } from "./mime.ts";

/** Nido's own cloud-config. */
export interface CloudConfig {
  /** What applies unless the caller's user-data says otherwise. */
  defaults: CloudConfigValues;
  /** What applies whatever the caller's user-data says; each key replaces theirs as a whole. */
  enforced: CloudConfigValues;
}

/** One part of the caller's user-data, as cloud-init takes it. */
export interface UserDataPart {
  contentType: string;
  /** What a cloud-config sets. */
  settings?: CloudConfigValues;
}

const SIZE_LIMIT = 1024 * 1024;

// First lines and content types as cloud-init 22.4 knows them; the longest prefix comes first.
const FORMS: [firstLine: RegExp, contentType: string][] = [
  [/^## template: *jinja/i, "text/jinja2"],
  [/^#cloud-config-archive(?=\s|$)/i, "text/cloud-config-archive"],
  [/^#cloud-config-jsonp(?=\s|$)/i, "text/cloud-config-jsonp"],
  [/^#cloud-config(?=\s|$)/i, "text/cloud-config"],
  [/^#cloud-boothook(?=\s|$)/i, "text/cloud-boothook"],
  [/^#part-handler(?=\s|$)/i, "text/part-handler"],
  [/^#include-once(?=\s|$)/i, "text/x-include-once-url"],
  [/^#include(?=\s|$)/i, "text/x-include-url"],
  [/^#!/, "text/x-shellscript"],
];

// These may be anything in a multipart; cloud-init looks at their first line instead.
const UNTOLD = ["text/plain", "text/x-not-multipart", "text/x-shellscript"];

const KNOWN =
  /^(text\/(x-shellscript(-per-(boot|instance|once))?|jinja2|part-handler|cloud-(boothook|config(-archive|-jsonp)?)|x-include(-once)?-url)|application\/(x-)?(gzip|gzipped|gunzip|gzip-compressed|compress|compressed))$/;

const ACCEPTED = "#cloud-config, #! (a script), #include, #include-once, #cloud-boothook, " +
  "#part-handler, #cloud-config-archive, #cloud-config-jsonp, ## template: jinja, MIME headers";

/**
 * Checks the caller's user-data: `invalid_input` when cloud-init would drop it or a part of it.
 * What is fetched (`#include`) or rendered (jinja) in the guest can't be seen here.
 */
export async function checkUserData(text: string): Promise<void> {
  await readUserData(text);
}

/**
 * Joins Nido's cloud-config with the caller's user-data; cloud-init then applies both.
 *
 * The caller's parts come first, as they are, and merge with each other as they say. Nido's come
 * last, so that nothing the caller's parts hold, fetch or render can undo them: `defaults` fill
 * gaps only, each key of `enforced` replaces the caller's. A `password` that still came in that
 * way is removed, and `ssh_pwauth: true` does not win. The caller may give other users passwords
 * for the console; SSH takes none.
 */
export async function composeUserData(
  own: CloudConfig,
  callers = "",
): Promise<string> {
  const text = tidy(callers);
  if (text === "") return cloudConfig({ ...own.defaults, ...own.enforced });
  for (const values of await readConfigs(callers)) refusePasswordOf(loginUser(own), values);
  const type = typeOf(text);
  return writeMimeMessage([
    type ? { contentType: type, filename: "user-data", content: text } : text,
    {
      contentType: "text/cloud-config",
      filename: "nido-defaults",
      headers: { "Merge-Type": "dict(no_replace)+list()+str()" },
      content: cloudConfig({ ...own.defaults, password: "" }),
    },
    {
      contentType: "text/cloud-config",
      filename: "nido",
      headers: { "Merge-Type": "dict(replace,allow_delete)+list()+str()" },
      // Deletes the key, which is there by now; a null that stays would mean the password "None".
      content: cloudConfig({ ...own.enforced, password: null }),
    },
  ]);
}

/** The caller's settings that Nido's own replace, so that the caller can be told. */
export async function overruledKeys(own: CloudConfig, callers: string): Promise<string[]> {
  const keys = (await readConfigs(callers)).flatMap((values) =>
    Object.keys(own.enforced).filter((key) =>
      key in values && JSON.stringify(values[key]) !== JSON.stringify(own.enforced[key])
    )
  );
  return [...new Set(keys)].sort();
}

function cloudConfig(values: CloudConfigValues): string {
  return `#cloud-config\n${JSON.stringify(values, null, 2)}\n`;
}

/** Without the marks and blank lines before the first line, which hide it from cloud-init. */
function tidy(text: string): string {
  const start = text.replace(/^\uFEFF/, "").replace(/^\s+/, "");
  return start.replace(/^From .*\r?\n/, ""); // the envelope line of a message kept in a mailbox
}

function typeOf(text: string): string | undefined {
  return FORMS.find(([firstLine]) => firstLine.test(text))?.[1];
}

async function readConfigs(given: string): Promise<CloudConfigValues[]> {
  const parts = await readUserData(given);
  return parts.flatMap(({ settings }) => settings ? [settings] : []);
}

/** The parts of the caller's user-data; `invalid_input` when cloud-init would drop one. */
export async function readUserData(given: string): Promise<UserDataPart[]> {
  const size = new TextEncoder().encode(given).length;
  if (size > SIZE_LIMIT) throw unusable(`it has ${size} bytes, and at most ${SIZE_LIMIT} fit`);
  const text = tidy(given);
  if (text === "") return [];
  const contentType = typeOf(text);
  if (contentType) {
    const blankLines = given.slice(0, given.length - text.length).replaceAll(/[^\n]/g, "");
    return await attempt("", () => readPart({ contentType, content: blankLines + text }));
  }
  if (!isMimeMessage(text)) throw unrecognised(text);
  const parts = await attempt("", () => readMimeMessage(text));
  const handled = parts.some(({ contentType }) => contentType === "text/part-handler");
  const read = parts.map((part, i) => {
    const name = `part ${i + 1}${part.filename ? ` (${part.filename})` : ""}`;
    return attempt(`${name}: `, () => readPart(seen(part), handled));
  });
  return (await Promise.all(read)).flat();
}

function seen(part: MimePart): MimePart {
  if (!UNTOLD.includes(part.contentType)) return part;
  return { ...part, contentType: typeOf(part.content.trimStart()) ?? part.contentType };
}

async function readPart(part: MimePart, anyType = false): Promise<UserDataPart[]> {
  const { contentType, content } = part;
  if (contentType === "text/cloud-config") {
    return [{ contentType, settings: await readCloudConfig(content) }];
  }
  if (contentType === "text/cloud-config-archive") return await readEntries(content);
  if (contentType === "text/cloud-config-jsonp") {
    JSON.parse(content.trimStart().replace(/^#\S*/, ""));
  } else if (!anyType && !KNOWN.test(contentType)) {
    throw new SyntaxError(`cloud-init does nothing with ${contentType}`);
  }
  return [{ contentType }];
}

async function readEntries(archive: string): Promise<UserDataPart[]> {
  const parts: UserDataPart[] = [];
  for (const [i, { type, content }] of (await readArchive(archive)).entries()) {
    const contentType = type ?? typeOf(content.trimStart()) ?? "text/cloud-config";
    parts.push(
      ...await attempt(`entry ${i + 1}: `, () => readPart(seen({ contentType, content }))),
    );
  }
  return parts;
}

async function attempt<T>(where: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof SyntaxError) throw unusable(`${where}${cause.message}`, cause);
    if (cause instanceof NidoError) throw unusable(`${where}${cause.details?.reason}`, cause);
    throw cause;
  }
}

function loginUser(own: CloudConfig): string | undefined {
  return (own.enforced.user as { name?: string } | undefined)?.name;
}

function refusePasswordOf(user: string | undefined, values: CloudConfigValues): void {
  const { list, users } = (values.chpasswd ?? {}) as { list?: unknown; users?: unknown };
  const lines = Array.isArray(list) ? list.map(String) : String(list ?? "").split(/\r?\n/);
  const entries = Array.isArray(users) ? users as ({ name?: unknown } | null)[] : [];
  const names = [...lines.map((line) => line.split(":")[0]), ...entries.map((it) => it?.name)];
  if (user === undefined || !names.includes(user)) return;
  throw unusable(`chpasswd would give Nido's own login user "${user}" a password, and it has none`);
}

function unrecognised(text: string): NidoError {
  const line = text.split(/\r?\n/, 1)[0]!.slice(0, 60);
  return new NidoError(
    "invalid_input",
    `Cannot use the user-data: its first line ${JSON.stringify(line)} is not one of ${ACCEPTED}`,
    { hint: "Put #cloud-config on its first line if it is YAML, #!/bin/sh if it is a script" },
  );
}

function unusable(reason: string, cause?: unknown): NidoError {
  return new NidoError("invalid_input", `Cannot use the user-data: ${reason}`, {
    details: { reason },
    cause,
  });
}
