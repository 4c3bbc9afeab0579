/** One line of the bench's table. */
export interface Row {
  what: string;
  value: number;
  unit: "ms" | "s" | "MiB" | "KiB" | "B" | "calls/s" | "tokens";
  runs: number;
  /** Against the floor that was measured in the same run. */
  ratio?: number;
  /** What the project wants it to be. */
  aim?: string;
}

/** Milliseconds that something takes, as the median of several runs. */
export async function medianMs(runs: number, act: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const since = performance.now();
    await act();
    times.push(performance.now() - since);
  }
  return median(times);
}

/** The middle of some numbers. */
export function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

/** Rounded for a table. */
export function round(number: number, digits = 1): number {
  return Number(number.toFixed(digits));
}
