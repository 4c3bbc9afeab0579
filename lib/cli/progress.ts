import type { Progress } from "../context.ts";
import { printable } from "../printable.ts";
import { formatBytes, formatDuration } from "../units.ts";
import { Pace } from "./pace.ts";
import { columns, paint, writeErr } from "./streams.ts";

const SPOKEN_EVERY_MS = 5000;
const DRAWN_EVERY_MS = 80;
const BAR_CELLS = 20;
const DOWNLOAD = "download";
const DOWNLOAD_BAR_CELLS = 10;

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
  const words = new Words();
  const clear = () => {
    if (shown) writeErr("\r\x1b[K");
    shown = false;
  };
  return {
    clear,
    report(progress) {
      const now = performance.now();
      words.hear(progress, now);
      const complete = progress.done !== undefined && progress.done === progress.total;
      const soon = progress.stage === stage && now - last < DRAWN_EVERY_MS;
      if (soon && !complete) return;
      [stage, last] = [progress.stage, now];
      // A download tells how much time is left.
      const clock = stage === DOWNLOAD ? "" : `  ${formatDuration(now - started)}`;
      const room = (columns(Deno.stderr) ?? 80) - 3;
      const line = words.tell().slice(0, Math.max(10, room - clock.length));
      clear();
      writeErr(`${cyan("›")} ${line}${dim(clock)}`);
      shown = true;
    },
  };
}

/** One line for each stage that lasts, and one every few seconds after that. */
function spoken(): ProgressLine {
  let stage = "";
  let last = performance.now();
  const words = new Words();
  return {
    clear: () => {},
    report(progress) {
      const now = performance.now();
      words.hear(progress, now);
      const stale = now - last >= SPOKEN_EVERY_MS;
      const fresh = progress.stage !== stage;
      stage = progress.stage;
      if (!stale && !fresh) return;
      last = now;
      writeErr(`${words.tell()}\n`);
    },
  };
}

/** Hears all reports, shown or not, and puts the last one into words. */
export class Words {
  /** Of each download: several can be under way. */
  readonly #paces = new Map<string, Pace>();
  #last?: Progress;

  hear(progress: Progress, now: number): void {
    this.#last = progress;
    if (progress.stage !== DOWNLOAD) return;
    const pace = this.#paces.get(progress.message) ?? new Pace();
    this.#paces.set(progress.message, pace);
    pace.add(progress, now);
  }

  tell(): string {
    if (!this.#last) return "";
    return describe(this.#last, this.#paces.get(this.#last.message));
  }
}

function describe(progress: Progress, pace?: Pace): string {
  const { stage, done, total } = progress;
  const said = printable(progress.message).replaceAll("\n", " ");
  if (pace && done !== undefined) {
    const bar = total ? `${barOf(done / total, DOWNLOAD_BAR_CELLS)} ` : "";
    return `${said} ${bar}${pace.describe(progress)}`;
  }
  const told = `${stage}: ${said}`;
  if (done === undefined) return told;
  if (!total) return `${told} ${formatBytes(done)}`;
  const part = Math.min(1, done / total);
  return `${told} ${barOf(part, BAR_CELLS)} ${Math.round(part * 100)}%`;
}

function barOf(part: number, cells: number): string {
  const full = Math.min(cells, Math.round(part * cells));
  return "█".repeat(full) + "░".repeat(cells - full);
}
