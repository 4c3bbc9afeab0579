/**
 * What can go wrong, in fifteen stable codes, and what each means to a shell and to HTTP.
 * The command line documents `exit`; 1 is kept for "the answer is no" (a failing `nido doctor`).
 */
export const ERROR_CODES = {
  invalid_input: { exit: 2, http: 400, meaning: "the request itself is wrong" },
  not_found: { exit: 3, http: 404, meaning: "no such VM, image or key" },
  already_exists: { exit: 4, http: 409, meaning: "the name is taken" },
  wrong_state: { exit: 5, http: 409, meaning: "not possible in the present state" },
  in_use: { exit: 6, http: 409, meaning: "something else stands on it" },
  busy: { exit: 7, http: 423, meaning: "another command holds it" },
  denied: { exit: 8, http: 403, meaning: "not permitted" },
  host_missing: { exit: 9, http: 501, meaning: "this host lacks something needed" },
  exhausted: { exit: 10, http: 507, meaning: "out of disk, memory or ports" },
  unavailable: { exit: 11, http: 503, meaning: "it cannot be reached now" },
  integrity: { exit: 12, http: 422, meaning: "the data is not what it must be" },
  tool_failed: { exit: 13, http: 502, meaning: "a program that Nido ran failed" },
  timeout: { exit: 14, http: 504, meaning: "it took longer than allowed" },
  cancelled: { exit: 130, http: 499, meaning: "it was interrupted" },
  internal: { exit: 70, http: 500, meaning: "a defect in Nido" },
} as const satisfies Record<string, { exit: number; http: number; meaning: string }>;

/** One of the fifteen stable error codes. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What an error carries besides its message. */
export interface ErrorExtras {
  /** The next command to type. */
  hint?: string;
  /** Facts for programs: names, paths, digests, console lines. */
  details?: Record<string, unknown>;
  /** What lies underneath, kept for debugging and never shown as it is. */
  cause?: unknown;
}

/** The one error class: what was tried and the fact that stopped it, plus the next command to type. */
export class NidoError extends Error {
  override name = "NidoError";
  readonly hint?: string;
  readonly details?: Record<string, unknown>;

  constructor(readonly code: ErrorCode, message: string, extras: ErrorExtras = {}) {
    super(message, { cause: extras.cause });
    this.hint = extras.hint;
    this.details = extras.details;
  }
}

/**
 * Turns anything thrown into a NidoError, so that every surface renders one shape. Trouble with the
 * files of `home` is told as trouble with the home.
 */
export function toNidoError(thrown: unknown, home?: string): NidoError {
  if (thrown instanceof NidoError) return thrown;
  const fact = home === undefined ? undefined : whyUnusable(home, thrown);
  if (fact !== undefined) {
    return new NidoError("denied", `Cannot use the home ${home}: ${fact}`, {
      hint: "NIDO_HOME=/a/folder/you/own nido doctor",
      cause: thrown,
    });
  }
  if (thrown instanceof Deno.errors.NotCapable || isModuleDenied(thrown)) {
    return new NidoError("denied", `Deno denied a permission: ${thrown.message}`, {
      hint: `deno run $(nido permissions) ${missingFlag(thrown.message)}...`,
      cause: thrown,
    });
  }
  if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOSPC") {
    return new NidoError("exhausted", `The disk is full: ${thrown.message}`, {
      hint: "nido doctor",
      cause: thrown,
    });
  }
  if (thrown instanceof Error && thrown.name === "AbortError") {
    return new NidoError("cancelled", "Interrupted", { cause: thrown });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new NidoError("internal", `Unexpected: ${message}`, {
    hint: "nido doctor",
    cause: thrown,
  });
}

/** What an import throws whose file may not be read, which Deno 2.9 doesn't tell by its class. */
function isModuleDenied(thrown: unknown): thrown is TypeError {
  return thrown instanceof TypeError && thrown.message.startsWith("Requires read access to ");
}

/** The flag that Deno 2.9 asks for, with its value, where it tells both. */
function missingFlag(message: string): string {
  const told = /^Requires \w+ access to "(.+)", run again with the (--allow-\w+) flag$/.exec(
    message,
  );
  if (!told) return "";
  const flag = `${told[2]}=${told[1]}`;
  return /^[\w@%+=:,./-]+$/.test(flag) ? `${flag} ` : `'${flag.replaceAll("'", "'\\''")}' `;
}

const UNUSABLE: Record<string, string> = {
  EROFS: "it is on a read-only file system",
  EACCES: "you may not read or write all of it",
  EPERM: "you may not change all of it",
  ENOTDIR: "a file is in its place",
  EEXIST: "a file is in its place",
};

function whyUnusable(home: string, thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  if (!thrown.message.includes(`'${home}`)) return undefined;
  return UNUSABLE[String(thrown.code)];
}
