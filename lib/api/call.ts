import type { Progress } from "../context.ts";

/** What a call takes beside its input. */
export interface CallOptions {
  /** Ends the call; what was half made is removed. */
  signal?: AbortSignal;
  /** Hears how far it is. */
  report?: (progress: Progress) => void;
}

/** The noun and the method under which an operation is called: `vm.ssh_info` is `vm`'s `sshInfo`. */
export function nounAndMethod(operation: string): [noun: string, method: string] {
  const [noun = "", verb = ""] = operation.split(".");
  return [noun, verb.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())];
}
