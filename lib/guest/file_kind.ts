/** What a file is by its mode, as an entry of a copy. */
export type FileKind =
  | "file"
  | "folder"
  | "link"
  | "a device"
  | "a named pipe"
  | "a socket"
  | "unknown";

const KINDS: Record<number, FileKind> = {
  0o010000: "a named pipe",
  0o020000: "a device",
  0o040000: "folder",
  0o060000: "a device",
  0o100000: "file",
  0o120000: "link",
  0o140000: "a socket",
};

/** The kind that a mode tells; a guest may tell none. */
export function fileKind(mode: number | null | undefined): FileKind {
  return KINDS[(mode ?? 0) & 0o170000] ?? "unknown";
}

/** Why a file that is neither content, folder nor link is not copied. */
export function oddity(kind: FileKind): string {
  return `it is ${kind === "unknown" ? "of an unknown kind" : kind}`;
}

/** Read, write and execute for all three; never setuid, setgid or sticky. */
export function plainMode(mode: number): number {
  return mode & 0o777;
}
