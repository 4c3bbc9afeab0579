/** One line of the bench's table. */
export interface Row {
  what: string;
  value: number;
  unit: "ms" | "s" | "MiB" | "MiB/s" | "KiB" | "B" | "calls/s" | "tokens" | "failures" | "left";
  runs: number;
  /** What all but one in twenty runs stayed below. */
  p95?: number;
  /** Against the floor that was measured in the same run. */
  ratio?: number;
  /** What the project wants it to be. */
  aim?: string;
}

/** Milliseconds that something takes, as the median of several runs. */
export async function medianMs(runs: number, act: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) times.push(await msOf(act));
  return median(times);
}

/** Milliseconds that something takes. */
export async function msOf(act: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await act();
  return performance.now() - since;
}

/** The middle of some numbers. */
export function median(numbers: number[]): number {
  return quantile(numbers, 0.5);
}

/** The number that this share of some numbers stays below. */
export function quantile(numbers: number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)]!;
}

/** A row of milliseconds that were measured several times. */
export function msRow(what: string, times: number[], more: Partial<Row> = {}): Row {
  const p95 = times.length < 10 ? undefined : round(quantile(times, 0.95));
  return { what, value: round(median(times)), unit: "ms", runs: times.length, p95, ...more };
}

/** Rounded for a table. */
export function round(number: number, digits = 1): number {
  return Number(number.toFixed(digits));
}
