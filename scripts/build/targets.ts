/** The systems that Nido is compiled for: Deno's word for each, and how its file is called. */
export const targets: Record<string, string> = {
  "x86_64-unknown-linux-gnu": "linux-x86_64",
  "aarch64-unknown-linux-gnu": "linux-aarch64",
  "x86_64-apple-darwin": "macos-x86_64",
  "aarch64-apple-darwin": "macos-aarch64",
  "x86_64-pc-windows-msvc": "windows-x86_64.exe",
};

/** The name of one release's file. */
export function assetName(version: string, target: string): string {
  return `nido-${version}-${targets[target]}`;
}
