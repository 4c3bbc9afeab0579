import { basename } from "node:path";
import type { Context } from "../context.ts";
import { files } from "../store/files.ts";
import { type LockRequest, withLock } from "../store/lock.ts";
import { namesIn, removeIfThere } from "../store/record.ts";

/** The lock under which layers are frozen and swept: one without users is being made, or is garbage. */
export function layersLock(doing: string): LockRequest {
  return { what: "layers", doing };
}
