import type { Platform } from "../../lib/host/platform.ts";

/** The systems that Nido is compiled for, by Deno's word for each. */
export const targets: Record<string, Pick<Platform, "os" | "arch">> = {
  "x86_64-unknown-linux-gnu": { os: "linux", arch: "x86_64" },
  "aarch64-unknown-linux-gnu": { os: "linux", arch: "aarch64" },
  "x86_64-apple-darwin": { os: "darwin", arch: "x86_64" },
  "aarch64-apple-darwin": { os: "darwin", arch: "aarch64" },
  "x86_64-pc-windows-msvc": { os: "windows", arch: "x86_64" },
};
