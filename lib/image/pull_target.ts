import type { Packing, PublishedFormat } from "../catalog/catalog.ts";
import type { DiskFacts } from "./image.ts";

/** What is pulled from where, decided in full before anything is fetched. */
export interface PullTarget {
  /** What it is called in progress and errors. */
  label: string;
  /** Addresses of the same bytes, each one file or its parts in order. */
  sources: string[][];
  /** Absent only where the caller chose to go without. */
  digest?: string;
  sizeBytes?: number;
  /** Absent where nobody said it: the file's own marks decide. */
  format?: PublishedFormat;
  packing?: Packing;
  facts: DiskFacts;
  /** The recipe that builds it where it can't be pulled; what that built gives way to what is pulled. */
  recipe?: string;
  /** The name goes on meaning what it means now. */
  keepsName: boolean;
}
