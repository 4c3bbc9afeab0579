import { NidoError } from "../errors.ts";
import { SftpFailure } from "./sftp.ts";

/** Which way a copy goes, for the words of its errors. */
export type Direction = "from" | "to";

/** Any failure of a copy as what was tried and the fact that stopped it. */
export function explain(error: unknown, cannot: string, direction: Direction): unknown {
  if (error instanceof NidoError || error instanceof Deno.errors.NotCapable) return error;
  const told = (code: ConstructorParameters<typeof NidoError>[0], fact: string, hint?: string) =>
    new NidoError(code, `${cannot}: ${fact}`, { hint, cause: error });
  if (error instanceof SftpFailure) {
    if (error.status === SftpFailure.noSuchFile) {
      return told("not_found", direction === "from" ? "it does not exist" : "no such folder there");
    }
    if (error.status === SftpFailure.permissionDenied) {
      return told(
        "denied",
        `the guest's user may not ${direction === "from" ? "read" : "write"} it`,
      );
    }
    return told("tool_failed", `the guest answered "${error.message}"`);
  }
  if (error instanceof Error && error.name === "AbortError") {
    return told("cancelled", "it was interrupted");
  }
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return told("exhausted", "this machine's disk is full", "nido doctor");
  }
  if (code === "EFBIG") return told("exhausted", "this machine allows no file so large");
  if (error instanceof Deno.errors.NotFound) {
    return told("not_found", direction === "from" ? "no such folder here" : "it does not exist");
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return told("denied", `you may not ${direction === "from" ? "write" : "read"} it here`);
  }
  if (error instanceof Deno.errors.NotADirectory) {
    return told("invalid_input", "part of the path is a file");
  }
  return error;
}

/** Why one entry of a folder is left out and the copy goes on; undefined when it must stop. */
export function reasonToSkip(error: unknown, direction: Direction): string | undefined {
  if (error instanceof SftpFailure) {
    if (error.status === SftpFailure.permissionDenied) return "the guest's user may not access it";
    if (error.status === SftpFailure.noSuchFile) return "it vanished";
    return `the guest answered "${error.message}"`;
  }
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENAMETOOLONG") return "its path is too long";
  if (code === "EISDIR") return "a folder is in its place";
  if (direction === "to" && error instanceof Deno.errors.NotFound) return "it vanished";
  if (direction === "to" && error instanceof Deno.errors.PermissionDenied) {
    return "you may not read it";
  }
}
