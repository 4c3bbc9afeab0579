import type { ErrorCode } from "../errors.ts";

/** How patient a download is. */
export interface Retries {
  /** Failures in a row, without fair progress between them, that an address is forgiven. */
  failures: number;
  /** The wait after the first failure; it doubles with each, up to the longest. */
  firstWaitMs: number;
  longestWaitMs: number;
  /** A server that asks for a longer wait (`Retry-After`) is left at once. */
  longestAskedWaitMs: number;
  /** How long an address may take to answer. */
  answerMs: number;
  /** The same for all further addresses, when nothing has answered yet: the host is offline then. */
  offlineAnswerMs: number;
  /** How long no byte may come. */
  stallMs: number;
}

/** Patient enough for a bad line, quick enough without any. */
export const RETRIES: Retries = {
  failures: 5,
  firstWaitMs: 500,
  longestWaitMs: 15_000,
  longestAskedWaitMs: 60_000,
  answerMs: 10_000,
  offlineAnswerMs: 2_000,
  stallMs: 30_000,
};

/** What to do about a setback: the same once more, or try the next address. */
type Remedy = "again" | "elsewhere";

/** Why an address has not delivered, this time. */
export class Setback extends Error {
  override name = "Setback";

  constructor(
    readonly code: ErrorCode,
    /** The end of a sentence that begins with the address. */
    readonly fact: string,
    readonly remedy: Remedy,
    readonly extras: { askedWaitMs?: number; cause?: unknown } = {},
  ) {
    super(fact, { cause: extras.cause });
  }
}

/** How long to wait after so many failures in a row; two that failed together don't come back together. */
export function waitAfter(failures: number, setback: Setback, retries: Retries): number {
  const asked = setback.extras.askedWaitMs;
  if (asked !== undefined) return asked;
  const full = Math.min(retries.firstWaitMs * 2 ** (failures - 1), retries.longestWaitMs);
  return full * (0.5 + Math.random() / 2);
}

/** What `Retry-After` asks for: seconds, or a date. */
export function askedWait(header: string | null, now: Date): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}
