import type { Context } from "../context.ts";

const REPORT_EVERY_MS = 100;

/** Tells how far something has come; the caller may say so as often as it likes. */
export type Reporter = (done: number, total: number | undefined) => void;

/** Reports the progress of one stage, at most every 100 ms. */
export function progressOf(context: Context, stage: string, message: string): Reporter {
  let reportedAt = -Infinity;
  return (done, total) => {
    const now = performance.now();
    if (now - reportedAt < REPORT_EVERY_MS && done !== total) return;
    reportedAt = now;
    context.report({ stage, message, done, total });
  };
}
