import type { Context } from "../context.ts";
import { connectionFailure } from "../download/answer.ts";
import { NidoError } from "../errors.ts";
import { type Catalog, parseCatalog } from "./catalog.ts";

const MOST_BYTES = 16 * 1024 * 1024;
const PATIENCE_MS = 10_000;

/** What came from an address: a catalog, or the word that the one at hand is still the same. */
export type Fetched = { catalog: Catalog; etag?: string } | "unchanged";

/** Fetches a catalog, asking only for a newer one where an ETag is known; `unavailable` when it can't. */
export async function fetchCatalog(
  context: Context,
  address: string,
  etag?: string,
): Promise<Fetched> {
  refuseOpenLine(address, address);
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    const response = await fetch(address, {
      headers: { accept: "application/json", ...(etag ? { "if-none-match": etag } : {}) },
      signal: AbortSignal.any([context.signal, patience]),
    });
    refuseOpenLine(address, response.url);
    if (response.status === 304 && etag) {
      await response.body?.cancel();
      return "unchanged";
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw unreachable(address, `the server answered ${response.status}`);
    }
    const catalog = parseCatalog(await textOf(response, address), address);
    return { catalog, etag: response.headers.get("etag") ?? undefined };
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof NidoError || error instanceof Deno.errors.NotCapable) throw error;
    const failure = connectionFailure(error, false);
    const fact = patience.aborted
      ? `no answer in ${PATIENCE_MS / 1000} s`
      : failure instanceof Error
      ? failure.message
      : String(failure);
    throw unreachable(address, fact, error);
  }
}

/** What a catalog says is trusted, so nobody on the way may write in it. */
function refuseOpenLine(address: string, reached: string): void {
  const { protocol, hostname } = new URL(reached || address);
  if (protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname)) return;
  const fact = reached === address ? "it" : `it leads to ${reached}, which`;
  throw new NidoError("denied", `Cannot fetch the catalog ${address}: ${fact} is not https`, {
    hint: "download it by a way you trust, then nido config set catalog FILE",
  });
}

async function textOf(response: Response, address: string): Promise<string> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MOST_BYTES) throw unreachable(address, "it is larger than 16 MiB");
    chunks.push(chunk);
  }
  return await new Blob(chunks).text();
}

function unreachable(address: string, fact: string, cause?: unknown): NidoError {
  return new NidoError("unavailable", `Cannot fetch the catalog ${address}: ${fact}`, {
    hint: "nido image refresh",
    cause,
  });
}
