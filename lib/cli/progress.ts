import type { Progress } from "../context.ts";
import { printable } from "../printable.ts";
import { formatBytes, formatDuration } from "../units.ts";
import { columns, paint, writeErr } from "./streams.ts";

const SPOKEN_EVERY_MS = 5000;
const DRAWN_EVERY_MS = 80;
const BAR_CELLS = 20;

/** Shows progress on standard error, and takes it away again. */
export interface ProgressLine {
  report(progress: Progress): void;
  /** Removes the line before other output is written. */
  clear(): void;
}

/** A line that changes on a terminal, a few plain lines elsewhere, nothing when it is to be quiet. */
export function progressLine(silent: boolean): ProgressLine {
  if (silent) return { report: () => {}, clear: () => {} };
  return Deno.stderr.isTerminal() ? drawn() : spoken();
}

function drawn(): ProgressLine {
  const started = performance.now();
  const { dim, cyan } = paint(Deno.stderr);
  let shown = false;
  let stage = "";
  let last = 0;
  const clear = () => {
    if (shown) writeErr("\r\x1b[K");
    shown = false;
  };
  return {
    clear,
    report(progress) {
      const now = performance.now();
      const complete = progress.done !== undefined && progress.done === progress.total;
      const soon = progress.stage === stage && now - last < DRAWN_EVERY_MS;
      if (soon && !complete) return;
      [stage, last] = [progress.stage, now];
      const clock = formatDuration(now - started);
      const room = (columns(Deno.stderr) ?? 80) - 1;
      const line = describe(progress).slice(0, Math.max(10, room - clock.length - 4));
      clear();
      writeErr(`${cyan("›")} ${line}  ${dim(clock)}`);
      shown = true;
    },
  };
}

/** One line for each stage that lasts, and one every few seconds after that. */
function spoken(): ProgressLine {
  let stage = "";
  let last = performance.now();
  return {
    clear: () => {},
    report(progress) {
      const now = performance.now();
      const stale = now - last >= SPOKEN_EVERY_MS;
      const fresh = progress.stage !== stage;
      stage = progress.stage;
      if (!stale && !fresh) return;
      last = now;
      writeErr(`${describe(progress)}\n`);
    },
  };
}

function describe({ stage, message, done, total }: Progress): string {
  const told = `${stage}: ${printable(message).replaceAll("\n", " ")}`;
  if (done === undefined) return told;
  if (!total) return `${told} ${formatBytes(done)}`;
  const part = Math.min(1, done / total);
  const full = Math.round(part * BAR_CELLS);
  const bar = "█".repeat(full) + "░".repeat(BAR_CELLS - full);
  return `${told} ${bar} ${Math.round(part * 100)}%`;
}
