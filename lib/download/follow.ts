import { NidoError } from "../errors.ts";

const MOST_REDIRECTS = 10;

/** An answer, and the address that gave it in the end. */
export interface Followed {
  response: Response;
  at: string;
}

/** Sends a request and goes where redirects lead; `check` throws for an address not to be asked. */
export async function follow(
  address: string,
  init: RequestInit & { client?: Deno.HttpClient },
  check: (to: string, from?: string) => void,
): Promise<Followed> {
  let at = address;
  check(at);
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const response = await fetch(at, { ...init, redirect: "manual" });
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) {
      return { response, at };
    }
    await response.body?.cancel();
    const to = URL.parse(location, at);
    if (to === null || !/^https?:$/.test(to.protocol)) {
      throw astray(address, "it redirects to what is no web address");
    }
    check(to.href, at);
    at = to.href;
  }
  throw astray(address, `it redirects more than ${MOST_REDIRECTS} times`);
}

/** Reads a text to its end; undefined when it is larger than it may be. */
export async function boundedText(
  response: Response,
  mostBytes: number,
): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > mostBytes) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Whether nobody on the way can write in what an address gives: https, or this machine itself. */
export function isClosedLine(address: string): boolean {
  const url = URL.parse(address);
  if (url?.protocol === "https:") return true;
  return url?.protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
}

function astray(address: string, fact: string): NidoError {
  return new NidoError("unavailable", `Cannot fetch ${address}: ${fact}`);
}
