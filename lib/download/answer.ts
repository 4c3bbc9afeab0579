import { askedWait, Setback } from "./retries.ts";

/** Where to go on, and what marks the version that the bytes so far are of. */
export interface Resumption {
  offset: number;
  /** A strong ETag or a date; absent where the published digest alone decides. */
  ifRange?: string;
}

/** What a server is ready to send. */
export interface Answer {
  /** The body begins here: at the asked offset, or at 0 when the server starts over. */
  offset: number;
  /** How long the whole part is, where the server tells. */
  partBytes?: number;
  etag?: string;
  lastModified?: string;
  /** Absent when the bytes so far are all there are. */
  body?: ReadableStream<Uint8Array>;
}

/** Asks an address for a part, from its beginning or from where it broke off. */
export async function ask(
  address: string,
  resumption: Resumption | undefined,
  signal: AbortSignal,
): Promise<Answer> {
  const headers = new Headers({ "accept-encoding": "identity" });
  if (resumption) headers.set("range", `bytes=${resumption.offset}-`);
  if (resumption?.ifRange) headers.set("if-range", resumption.ifRange);
  const response = await fetch(address, { headers, signal });
  try {
    return readAnswer(response, address, resumption?.offset ?? 0);
  } catch (error) {
    await response.body?.cancel().catch(() => {}); // it is refused already
    throw error;
  }
}

function readAnswer(response: Response, address: string, asked: number): Answer {
  const { status, headers, body } = response;
  if (status === 416 && asked > 0) return beyondTheEnd(response, asked);
  if (status !== 200 && status !== 206) throw refusal(response);
  refuseEncoding(headers.get("content-encoding"), address);
  const marks = {
    etag: headers.get("etag") ?? undefined,
    lastModified: headers.get("last-modified") ?? undefined,
    body: body ?? new Blob([]).stream(),
  };
  if (status === 200) return { ...marks, offset: 0, partBytes: lengthOf(headers) };
  const range = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(
    headers.get("content-range") ?? "",
  );
  if (Number(range?.[1]) !== asked) {
    throw new Setback("unavailable", "it sends another range than it was asked for", "elsewhere");
  }
  const partBytes = range?.[2] === "*" ? undefined : Number(range?.[2]);
  return { ...marks, offset: asked, partBytes };
}

/** 416: all is there already, or the file on the server is another one now. */
function beyondTheEnd({ headers }: Response, asked: number): Answer {
  const total = /^bytes \*\/(\d{1,15})$/.exec(headers.get("content-range") ?? "")?.[1];
  if (Number(total) === asked) return { offset: asked, partBytes: asked };
  throw new StartOver();
}

/** The bytes so far are not of what the server has now. */
export class StartOver extends Setback {
  constructor() {
    super("unavailable", "the file changes while it is downloaded", "again");
  }
}

function refusal({ status, headers }: Response): Setback {
  const fact = `it answers with HTTP status ${status}`;
  if (status === 404 || status === 410) return new Setback("not_found", fact, "elsewhere");
  const passes = status >= 500 || status === 429 || status === 408;
  return new Setback("unavailable", fact, passes ? "again" : "elsewhere", {
    askedWaitMs: askedWait(headers.get("retry-after"), new Date()),
  });
}

/** Some servers call a .gz file "encoded" where they send it as it is. */
function refuseEncoding(encoding: string | null, address: string): void {
  if (encoding === null || encoding === "identity" || encoding === "") return;
  if (/gzip$/.test(encoding) && /\.t?gz$/.test(new URL(address).pathname)) return;
  throw new Setback(
    "unavailable",
    `it sends the file encoded (${encoding}), which it was asked not to`,
    "elsewhere",
  );
}

function lengthOf(headers: Headers): number | undefined {
  const length = headers.get("content-length");
  return length === null ? undefined : Number(length);
}

/** Waits for something from a server; a connection that fails is a setback. */
export async function reached<T>(coming: Promise<T>, hasDelivered: boolean): Promise<T> {
  try {
    return await coming;
  } catch (error) {
    throw connectionFailure(error, hasDelivered);
  }
}

/** The setback that a failed connection means, or what was thrown where it is something else. */
export function connectionFailure(thrown: unknown, hasDelivered: boolean): unknown {
  if (!(thrown instanceof TypeError)) return thrown;
  const told = thrown.cause instanceof Error ? thrown.cause.message : thrown.message;
  const reason = told.replace(/^.*?client error \(\w+\): /, "").replace(/^Fetch failed: /, "");
  const setback = (fact: string, remedy: "again" | "elsewhere") =>
    new Setback("unavailable", fact, remedy, { cause: thrown });
  if (/certificate/.test(told)) {
    return setback(`its certificate is not trusted (${reason})`, "elsewhere");
  }
  if (told.startsWith("Fetch failed: ")) return setback(reason, "elsewhere"); // redirected in a circle
  // A name or port that was never reached won't be soon; one that delivered before may come back.
  const isUnreached = /\(Connect\)/.test(told) && !hasDelivered;
  return setback(reason, isUnreached ? "elsewhere" : "again");
}
