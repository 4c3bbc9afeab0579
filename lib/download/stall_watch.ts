import { Setback } from "./retries.ts";

/** Ends a request that has no answer in time, or that no byte comes from any more. */
export class StallWatch implements Disposable {
  readonly #stop = new AbortController();
  #timer?: ReturnType<typeof setTimeout>;

  /** Aborts for the caller's own reason, or with the setback as its reason. */
  readonly signal: AbortSignal;

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#stop.signal]);
  }

  /** From now on something must happen within this time, or the request ends. */
  expect(withinMs: number, fact: string, remedy: "again" | "elsewhere"): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#stop.abort(new Setback("unavailable", `${fact} for ${withinMs / 1000} s`, remedy));
    }, withinMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }
}
