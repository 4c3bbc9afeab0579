import type { Progress } from "../context.ts";
import { NidoError } from "../errors.ts";

/** What a copy may not exceed: a guest can show folders and files without an end. */
export interface CopyLimits {
  /** Folders inside folders. */
  depth: number;
  entries: number;
  /** How far a file may go on beyond the size that the guest told. */
  beyondSizeBytes: number;
}

/** How to copy; a session's own signal always counts too. */
export interface CopyOptions {
  signal?: AbortSignal;
  report?: (progress: Progress) => void;
  limits?: Partial<CopyLimits>;
}

/** What was copied, and what was not and why. */
export interface Copied {
  files: number;
  folders: number;
  links: number;
  sizeBytes: number;
  skipped: { path: string; reason: string }[];
}

const LIMITS: CopyLimits = { depth: 100, entries: 1_000_000, beyondSizeBytes: 2 ** 30 };
const REPORT_MS = 100;

/** The tally of one copy while it runs: what is done, what may still come. */
export class Tally {
  readonly copied = {
    files: 0,
    folders: 0,
    links: 0,
    sizeBytes: 0,
    skipped: [] as Copied["skipped"],
  };
  readonly limits: CopyLimits;
  #entries = 0;
  #reportedAt = -Infinity;
  /** Bytes in all, where one file is copied. */
  total?: number;

  constructor(private readonly what: string, private readonly options: CopyOptions) {
    this.limits = { ...LIMITS, ...options.limits };
  }

  skip(path: string, reason: string): void {
    this.copied.skipped.push({ path, reason });
  }

  /** What was done; files are copied side by side, so what was left out is put in order. */
  result(): Copied {
    this.copied.skipped.sort((one, other) => one.path < other.path ? -1 : 1);
    return this.copied;
  }

  addBytes(size: number): void {
    this.copied.sizeBytes += size;
    const now = performance.now();
    if (!this.options.report || now - this.#reportedAt < REPORT_MS) return;
    this.#reportedAt = now;
    this.options.report({
      stage: "copy",
      message: `Copying ${this.what}: ${this.copied.files} files`,
      done: this.copied.sizeBytes,
      total: this.total,
    });
  }

  /** Counts an entry; `integrity` when there are too many, or too deep ones. */
  enter(depth: number): void {
    if (depth > this.limits.depth) {
      throw this.#endless(`its folders are nested more than ${this.limits.depth} deep`);
    }
    if (++this.#entries > this.limits.entries) {
      throw this.#endless(`it has more than ${this.limits.entries} entries`);
    }
  }

  /** `integrity` when a file goes on far beyond the size it was said to have. */
  checkSize(path: string, told: number, size: number): void {
    if (size <= told + this.limits.beyondSizeBytes) return;
    throw new NidoError(
      "integrity",
      `Cannot copy ${path}: it goes on far beyond the ${told} bytes that the guest told`,
    );
  }

  #endless(fact: string): NidoError {
    return new NidoError("integrity", `Cannot copy ${this.what}: ${fact}`);
  }
}

/** Runs over all items, some at a time; after a failure no more begin, and it is thrown. */
export async function eachOf<T>(
  items: Iterable<T> | AsyncIterable<T>,
  together: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failed: { error: unknown } | undefined;
  for await (const item of items) {
    if (failed) break;
    const task = run(item)
      .catch((error) => void (failed ??= { error }))
      .finally(() => running.delete(task));
    running.add(task);
    if (running.size >= together) await Promise.race(running);
  }
  await Promise.all(running);
  if (failed) throw failed.error;
}
