import { NidoError } from "../errors.ts";

/** A processor architecture of a host or guest. */
export type Arch = "x86_64" | "aarch64";

/** An operating system that Nido knows its way around. */
export type HostOs = "linux" | "darwin" | "windows";

/** What this host is, as data, so that every variant can be tried anywhere. */
export interface Platform {
  os: HostOs;
  arch: Arch;
  /** Folders that are searched for programs, in order. */
  programFolders: string[];
  /** True when commands need no `sudo`. */
  superuser: boolean;
}

const EXTRA_FOLDERS: Record<HostOs, string[]> = {
  linux: [],
  darwin: ["/opt/homebrew/bin", "/usr/local/bin"],
  windows: ["C:\\Program Files\\qemu"],
};

/** The host that this process runs on; `PATH` is read anew each time. */
export function thisPlatform(): Platform {
  const os: HostOs = Deno.build.os === "windows" || Deno.build.os === "darwin"
    ? Deno.build.os
    : "linux";
  const named = (Deno.env.get("PATH") ?? "").split(os === "windows" ? ";" : ":");
  return {
    os,
    arch: Deno.build.arch,
    programFolders: [...new Set([...named.filter((folder) => folder), ...EXTRA_FOLDERS[os]])],
    superuser: isSuperuser(),
  };
}

function isSuperuser(): boolean {
  try {
    return Deno.uid() === 0;
  } catch {
    return false; // no permission to ask; a needless sudo in a hint does no harm
  }
}

/** This host's memory. */
export function hostMemory(): { totalMib: number; availableMib: number } {
  const { total, available } = Deno.systemMemoryInfo();
  const mib = (bytes: number) => Math.floor(bytes / 1024 ** 2);
  return { totalMib: mib(total), availableMib: mib(available) };
}

/**
 * Refuses a host on which a machine can't be reached privately: Nido's monitors are unix sockets, which
 * Deno 2.9 doesn't have on Windows, and TCP is open to every local user.
 */
export function requireUnixSockets(doing: string, platform: Platform = thisPlatform()): void {
  if (platform.os !== "windows") return;
  throw new NidoError(
    "host_missing",
    `Cannot ${doing}: Windows gives Deno no unix sockets, through which Nido reaches its VMs`,
    { hint: "run Nido inside WSL 2: wsl --install" },
  );
}
