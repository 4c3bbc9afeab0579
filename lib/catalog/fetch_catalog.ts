import type { Context } from "../context.ts";
import { connectionFailure } from "../download/answer.ts";
import { boundedText, follow, isClosedLine } from "../download/follow.ts";
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
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    const init = {
      headers: { accept: "application/json", ...(etag ? { "if-none-match": etag } : {}) },
      signal: AbortSignal.any([context.signal, patience]),
    };
    const { response } = await follow(address, init, (to) => refuseOpenLine(address, to));
    if (response.status === 304 && etag) {
      await response.body?.cancel();
      return "unchanged";
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw unreachable(address, `the server answered ${response.status}`);
    }
    const text = await boundedText(response, MOST_BYTES);
    if (text === undefined) throw unreachable(address, "it is larger than 16 MiB");
    const catalog = parseCatalog(text, address);
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
function refuseOpenLine(address: string, to: string): void {
  if (isClosedLine(to)) return;
  const fact = to === address ? "it" : `it leads to ${to}, which`;
  throw new NidoError("denied", `Cannot fetch the catalog ${address}: ${fact} is not https`, {
    hint: "download it by a way you trust, then nido config set catalog FILE",
  });
}

function unreachable(address: string, fact: string, cause?: unknown): NidoError {
  return new NidoError("unavailable", `Cannot fetch the catalog ${address}: ${fact}`, {
    hint: "nido image refresh",
    cause,
  });
}
