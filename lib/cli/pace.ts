import type { Progress } from "../context.ts";
import { formatBytes, formatDuration } from "../units.ts";

const WINDOW_MS = 5000;
const LEAST_SPAN_MS = 500;

/** How fast bytes come, over the last seconds: a line that gets slow is seen to be slow. */
export class Pace {
  #samples: { at: number; done: number }[] = [];

  /** Takes note of what a report says. */
  add({ done = 0 }: Progress, now: number): void {
    if (done < (this.#samples.at(-1)?.done ?? 0)) this.#samples = []; // it started over
    while (this.#samples.length > 0 && this.#samples[0]!.at < now - WINDOW_MS) {
      this.#samples.shift();
    }
    this.#samples.push({ at: now, done });
  }

  /** Bytes in a second; undefined until enough was seen. */
  get bytesPerSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.at - first.at < LEAST_SPAN_MS) return undefined;
    return (last.done - first.done) / (last.at - first.at) * 1000;
  }

  /** `12 MiB of 340 MiB, 8.4 MiB/s, 39 s left`. */
  describe({ done = 0, total }: Progress): string {
    const rate = this.bytesPerSecond;
    const parts = [formatBytes(done) + (total === undefined ? "" : ` of ${formatBytes(total)}`)];
    if (rate !== undefined) parts.push(`${formatBytes(rate)}/s`);
    if (rate && total !== undefined && total > done) {
      parts.push(`${formatDuration(Math.ceil((total - done) / rate) * 1000)} left`);
    }
    return parts.join(", ");
  }
}
