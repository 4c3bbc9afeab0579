import { connectionFailure } from "../../lib/download/answer.ts";
import { boundedText, follow, type Followed } from "../../lib/download/follow.ts";
import { askedWait, Setback } from "../../lib/download/retries.ts";
import { NidoError } from "../../lib/errors.ts";

/** A text that was fetched, and the address that gave it in the end. */
export interface Page {
  address: string;
  text: string;
}

/** How strategies read the world: an address gives a text, or a NidoError. */
export type Fetch = (address: string) => Promise<Page>;

/** How addresses are looked at without reading what is there. */
export type Head = (address: string) => Promise<{ sizeBytes?: number }>;

/** The bounds of a fetch, and how it waits. */
export interface FetchManner {
  /** For one attempt, from the first byte sent to the last one read. */
  timeoutMs?: number;
  /** Of the text, when it is unpacked. */
  maxBytes?: number;
  attempts?: number;
  wait?: (milliseconds: number) => Promise<void>;
  signal?: AbortSignal;
  /** Trusts what a test's server needs. */
  client?: Deno.HttpClient;
}

const MAX_WAIT_MS = 60_000;

/** Fetches over HTTP: follows redirects, never from https to http; tries again where that can help. */
export function webFetch(manner: FetchManner = {}): Fetch {
  return (address) =>
    patiently(address, manner, async (init) => {
      const { response, at } = await ask(address, init);
      const { maxBytes = 32 * 2 ** 20 } = manner;
      const text = await boundedText(response, maxBytes);
      if (text === undefined) throw unreachable(address, `it is larger than ${maxBytes} bytes`);
      return { address: at, text };
    });
}

/** Asks over HTTP whether something is there, and how large it is where the server says so. */
export function webHead(manner: FetchManner = {}): Head {
  return (address) =>
    patiently(address, manner, async (init) => {
      const headers = { "accept-encoding": "identity" };
      const { response } = await ask(address, { ...init, method: "HEAD", headers });
      const length = Number(response.headers.get("content-length") ?? 0);
      return length > 0 ? { sizeBytes: length } : {};
    });
}

type Init = RequestInit & { client?: Deno.HttpClient };

/** Tries until an attempt is answered for good. */
async function patiently<T>(
  address: string,
  manner: FetchManner,
  attempt: (init: Init) => Promise<T>,
): Promise<T> {
  const { attempts = 4, wait = pause, signal } = manner;
  for (let count = 1;; count++) {
    try {
      return await inTime(manner, attempt);
    } catch (thrown) {
      signal?.throwIfAborted();
      if (!(thrown instanceof Setback)) throw thrown;
      const { fact, remedy, extras } = thrown;
      if (remedy !== "again" || count >= attempts) throw unreachable(address, fact);
      await wait(Math.min(extras.askedWaitMs ?? 1000 * 2 ** (count - 1), MAX_WAIT_MS));
      signal?.throwIfAborted();
    }
  }
}

async function inTime<T>(
  { timeoutMs = 60_000, signal, client }: FetchManner,
  attempt: (init: Init) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const ended = signal ? AbortSignal.any([signal, deadline]) : deadline;
  try {
    return await attempt({ signal: ended, client });
  } catch (thrown) {
    if (!deadline.aborted) throw connectionFailure(thrown, true);
    throw new Setback("unavailable", `no whole answer in ${timeoutMs / 1000} s`, "again");
  }
}

/** Sends a request, and goes from https only to https. */
async function ask(address: string, init: Init): Promise<Followed> {
  const followed = await follow(address, init, (to, from) => {
    if (!from?.startsWith("https:") || to.startsWith("https:")) return;
    throw unreachable(address, "it redirects from https to http");
  });
  if (followed.response.ok) return followed;
  await followed.response.body?.cancel();
  throw refusal(followed.response);
}

function refusal({ status, headers }: Response): Setback {
  const passes = status === 429 || status >= 500;
  return new Setback(
    "unavailable",
    `the server answers ${status}`,
    passes ? "again" : "elsewhere",
    {
      askedWaitMs: askedWait(headers.get("retry-after"), new Date()),
    },
  );
}

function unreachable(address: string, fact: string): NidoError {
  return new NidoError("unavailable", `Cannot fetch ${address}: ${fact}`);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
