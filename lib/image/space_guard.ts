import type { NidoError } from "../errors.ts";
import { type DiskSpace, diskSpace } from "../host/disk_space.ts";
import { formatBytes } from "../units.ts";
import type { Refuse } from "./refuse.ts";

const PROBE_EVERY_BYTES = 16 * 1024 * 1024;
const MOST_RESERVED_BYTES = 256 * 1024 * 1024;

/** Throws when a file system can't take so many bytes more and keep a reserve for everything else. */
export async function needSpace(home: string, bytes: number, refuse: Refuse): Promise<void> {
  const space = await diskSpace(home);
  if (!space || bytes + reserveOf(space) <= space.freeBytes) return;
  throw refuse(
    "exhausted",
    `it needs ${formatBytes(bytes)} and ${formatBytes(reserveOf(space))} to spare, ` +
      `and ${home} has ${formatBytes(space.freeBytes)} free`,
    { hint: "nido images", details: { neededBytes: bytes, ...space } },
  );
}

/** A file that grows; what it takes of the disk so far. */
interface Growing {
  readonly writtenBytes: number;
}

/** Stops a copy of unknown length before it has filled the disk. */
export class SpaceGuard {
  #untilProbe = 0;

  constructor(readonly home: string, readonly file: Growing, readonly refuse: Refuse) {}

  /** To be called before each write. */
  async check(comingBytes: number): Promise<void> {
    this.#untilProbe -= comingBytes;
    if (this.#untilProbe > 0) return;
    const space = await diskSpace(this.home);
    if (space && space.freeBytes < reserveOf(space) + comingBytes) throw await this.exhausted();
    const spare = space ? space.freeBytes - reserveOf(space) : Infinity;
    this.#untilProbe = Math.min(PROBE_EVERY_BYTES, spare);
  }

  /** The error for a disk that is full now. */
  async exhausted(): Promise<NidoError> {
    const space = await diskSpace(this.home);
    const copied = this.file.writtenBytes;
    const left = space ? ` and ${formatBytes(space.freeBytes)} is left there` : "";
    return this.refuse(
      "exhausted",
      `${this.home} has no room for it: ${formatBytes(copied)} is copied${left}`,
      { hint: "nido images", details: { copiedBytes: copied, ...space } },
    );
  }
}

function reserveOf(space: DiskSpace): number {
  return Math.min(MOST_RESERVED_BYTES, Math.floor(space.totalBytes / 20));
}

/** True for the system's "no space left on device". */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error &&
    (error.code === "ENOSPC" || error.code === "EDQUOT");
}
