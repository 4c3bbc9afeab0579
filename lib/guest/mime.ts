/** One part of a MIME message, decoded. */
export interface MimePart {
  /** Lower case, without parameters. */
  contentType: string;
  filename?: string;
  /** What the part holds; bytes that aren't text stay as they were sent. */
  content: string;
}

/** A part to write; `headers` are extra lines such as `Merge-Type`. */
export interface NewPart {
  contentType: string;
  filename: string;
  content: string;
  headers?: Record<string, string>;
}

/** Whether a text starts with MIME headers, as a message kept in a file does. */
export function isMimeMessage(text: string): boolean {
  const { headers } = split(text);
  return headers.has("content-type") || headers.has("mime-version");
}

/**
 * The leaf parts of a message, in order. A message that would lose something (no boundary, no
 * part, cut off before its end) is a SyntaxError that says so.
 */
export function readMimeMessage(text: string): MimePart[] {
  const { headers, body } = split(text);
  const [type, parameters] = contentType(headers);
  if (!type.startsWith("multipart/")) {
    const disposition = headers.get("content-disposition") ?? "";
    return [{
      contentType: type,
      filename: parameter(disposition, "filename") ?? parameter(parameters, "name"),
      content: decode(body, headers.get("content-transfer-encoding") ?? ""),
    }];
  }
  const boundary = parameter(parameters, "boundary");
  if (!boundary) throw new SyntaxError("its multipart header names no boundary");
  const parts = partsBetween(body, boundary);
  if (parts.length === 0) throw new SyntaxError(`its multipart has no part between "${boundary}"`);
  return parts.flatMap(readMimeMessage);
}

/** Writes parts, and whole messages between them, as one multipart/mixed message. */
export function writeMimeMessage(parts: (NewPart | string)[]): string {
  const written = parts.map((part) => typeof part === "string" ? part : writePart(part));
  let boundary = "nido-seed";
  while (written.some((part) => part.includes(boundary))) boundary += "-x";
  const start = `Content-Type: multipart/mixed; boundary="${boundary}"\nMIME-Version: 1.0\n\n`;
  return `${start}${written.map((part) => `--${boundary}\n${part}\n`).join("")}--${boundary}--\n`;
}

function writePart({ contentType, filename, content, headers = {} }: NewPart): string {
  // Lines of plain ASCII pass as they are; anything else could be changed on the way.
  const plain = /^[\t\n\x20-\x7e]*$/.test(content);
  const lines = [
    `Content-Type: ${contentType}; charset="${plain ? "us-ascii" : "utf-8"}"`,
    `Content-Transfer-Encoding: ${plain ? "7bit" : "base64"}`,
    `Content-Disposition: attachment; filename="${filename}"`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join("\n")}\n\n${plain ? content : base64Lines(content)}`;
}

function base64Lines(content: string): string {
  const encoded = new TextEncoder().encode(content).toBase64();
  return encoded.replaceAll(/.{76}(?=.)/g, "$&\n");
}

function split(text: string): { headers: Map<string, string>; body: string } {
  const headers = new Map<string, string>();
  const blank = /^\r?\n|\r?\n\r?\n/.exec(text);
  const head = blank ? text.slice(0, blank.index) : text;
  for (const line of head.replaceAll(/\r?\n[ \t]+/g, " ").split(/\r?\n/)) {
    const match = /^([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*)$/.exec(line);
    if (match) headers.set(match[1]!.toLowerCase(), match[2]!.trim());
  }
  return { headers, body: blank ? text.slice(blank.index + blank[0].length) : "" };
}

function contentType(headers: Map<string, string>): [type: string, parameters: string] {
  const value = headers.get("content-type") ?? "text/plain";
  return [value.split(";")[0]!.trim().toLowerCase(), value];
}

function parameter(header: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^;\\s]+))`, "i").exec(header);
  return match?.[1] ?? match?.[2];
}

function partsBetween(body: string, boundary: string): string[] {
  const quoted = boundary.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pieces = body.split(new RegExp(`(?:^|\\r?\\n)--${quoted}(--)?[ \\t]*(?=\\r?\\n|$)`));
  const parts: string[] = [];
  for (let i = 1; i < pieces.length; i += 2) {
    if (pieces[i]) return parts;
    parts.push(pieces[i + 1]!.replace(/^\r?\n/, ""));
  }
  throw new SyntaxError(`its multipart does not end with "--${boundary}--"`);
}

function decode(body: string, encoding: string): string {
  switch (encoding.toLowerCase()) {
    case "base64":
      return decodeBase64(body);
    case "quoted-printable":
      return decodeQuotedPrintable(body);
    default:
      return body;
  }
}

function decodeBase64(body: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(body));
  } catch {
    throw new SyntaxError("a part of its multipart is not the base64 it says it is");
  }
}

function decodeQuotedPrintable(body: string): string {
  const bytes: number[] = [];
  const text = body.replaceAll(/[ \t]*=\r?\n/g, "");
  const encoder = new TextEncoder();
  for (const [piece, hex] of text.matchAll(/=([0-9A-Fa-f]{2})|[^=]+|=/g)) {
    if (hex) bytes.push(Number.parseInt(hex, 16));
    else for (const byte of encoder.encode(piece)) bytes.push(byte);
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
