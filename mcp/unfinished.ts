import type { Progress } from "../lib/context.ts";

type Result = Record<string, unknown>;

/** What is started, and hears when it is to stop. */
export type Start = (signal: AbortSignal, report: (progress: Progress) => void) => Promise<Result>;

/** Work that somebody waits for, or will come back to. */
interface Work {
  /** Never rejects. */
  outcome: Promise<{ result: Result } | { error: unknown }>;
  controller: AbortController;
  listeners: Set<(progress: Progress) => void>;
  last: Progress;
}

/** How one caller waits. */
export interface Wait {
  /** What makes a later call the same one. */
  key: string;
  /** The VM that it is about to make. */
  makes?: string;
  /** Whether it goes on when nobody waits any more. */
  goesOn: boolean;
  signal: AbortSignal;
  report: (progress: Progress) => void;
  waitMs: number;
}

/** What a caller gets: the end, or how far it is. */
export type Waited = { result: Result } | { pending: Progress };

const KEPT_MS = 15 * 60_000;

/**
 * Work that takes longer than a caller waits. It goes on as long as this process lives; the same call
 * again waits for it, and gets its result once. What is done by a host job has a record of its own, and
 * is not kept here.
 */
export class Unfinished {
  readonly #left = new Map<string, { work: Work; makes?: string }>();
  readonly #awaited = new Set<Promise<Waited>>();

  /** Starts work, or joins what was left unfinished by the same call. */
  async run(start: Start, wait: Wait): Promise<Waited> {
    const run = this.#run(start, wait);
    this.#awaited.add(run);
    try {
      return await run;
    } finally {
      this.#awaited.delete(run);
    }
  }

  /** Waits for all calls that are being answered: when their clients have gone, until they took back. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#awaited);
  }

  async #run(start: Start, wait: Wait): Promise<Waited> {
    const work = this.#left.get(wait.key)?.work ?? begin(start);
    const isLeft = this.#left.has(wait.key);
    const waited = await this.#await(work, wait);
    if (waited === "late" && wait.goesOn) {
      if (work.last.job === undefined) this.#leave(work, wait);
      else this.#left.delete(wait.key);
    } else if (waited === "late" || (waited === "aborted" && !isLeft)) {
      work.controller.abort(new DOMException("Nobody waits any more", "AbortError"));
      const outcome = await work.outcome;
      if (waited === "aborted" && "error" in outcome) throw outcome.error;
    }
    if (waited === "late") return { pending: work.last };
    wait.signal.throwIfAborted();
    this.#left.delete(wait.key);
    const outcome = await work.outcome;
    if ("error" in outcome) throw outcome.error;
    return outcome;
  }

  /** How far the making of a VM is that was left unfinished. */
  making(name: string): Progress | undefined {
    return this.#maker(name)?.work.last;
  }

  /** Waits until a VM is made whose making was left unfinished; true when there was one. */
  async made(name: string, wait: Omit<Wait, "key" | "goesOn">): Promise<Waited | undefined> {
    const maker = this.#maker(name);
    if (!maker) return undefined;
    const waited = await this.#await(maker.work, wait);
    if (waited === "late") return { pending: maker.work.last };
    wait.signal.throwIfAborted();
    this.#left.delete(maker.key);
    const outcome = await maker.work.outcome;
    if ("error" in outcome) throw outcome.error;
    return outcome;
  }

  #maker(name: string): { key: string; work: Work } | undefined {
    for (const [key, { work, makes }] of this.#left) if (makes === name) return { key, work };
  }

  #leave(work: Work, { key, makes }: Wait): void {
    this.#left.set(key, { work, makes });
    work.outcome.then(() => {
      // An outcome that nobody asks for is not kept for ever.
      const timer = setTimeout(() => {
        if (this.#left.get(key)?.work === work) this.#left.delete(key);
      }, KEPT_MS);
      Deno.unrefTimer(timer);
    });
  }

  async #await(
    work: Work,
    { signal, report, waitMs }: Pick<Wait, "signal" | "report" | "waitMs">,
  ): Promise<"ended" | "late" | "aborted"> {
    const { promise, resolve } = Promise.withResolvers<"late" | "aborted">();
    const timer = setTimeout(() => resolve("late"), waitMs);
    const abort = () => resolve("aborted");
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    work.listeners.add(report);
    try {
      return await Promise.race([work.outcome.then(() => "ended" as const), promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      work.listeners.delete(report);
    }
  }
}

function begin(start: Start): Work {
  const controller = new AbortController();
  const work: Work = {
    outcome: Promise.resolve({ result: {} }),
    controller,
    listeners: new Set(),
    last: { stage: "begin", message: "it has begun" },
  };
  const report = (progress: Progress) => {
    work.last = progress;
    for (const listener of work.listeners) listener(progress);
  };
  work.outcome = start(controller.signal, report).then(
    (result) => ({ result }),
    (error) => ({ error }),
  );
  return work;
}
