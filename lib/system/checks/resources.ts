import { dirname } from "node:path";
import { diskSpace } from "../../host/disk_space.ts";
import { hostMemory } from "../../host/platform.ts";
import { formatBytes } from "../../units.ts";
import type { Check, Finding } from "./check.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** What free disk space means. */
export function diskFinding(home: string, freeBytes: number): Finding {
  const message = `${formatBytes(freeBytes)} of disk space are free for ${home}`;
  if (freeBytes >= 5 * GIB) return { name: "disk", state: "ok", message };
  const state = freeBytes < 200 * MIB ? "blocked" : "warning";
  return { name: "disk", state, message, fix: "nido prune" };
}

/** What available memory means. */
export function memoryFinding({ totalMib, availableMib }: ReturnType<typeof hostMemory>): Finding {
  const told = `${formatBytes(availableMib * MIB)} of ${formatBytes(totalMib * MIB)}`;
  const message = `${told} of memory are available`;
  if (availableMib >= 1024) return { name: "memory", state: "ok", message };
  return { name: "memory", state: "warning", message, fix: "nido list --state running" };
}

/** Disk space where the home is or will be. */
export const disk: Check = {
  name: "disk",
  run: async ({ context: { home } }) => {
    const space = await diskSpace(await nearestFolder(home));
    return space ? [diskFinding(home, space.freeBytes)] : [];
  },
};

/** Memory for guests. */
export const memory: Check = {
  name: "memory",
  // deno-lint-ignore require-await
  run: async () => [memoryFinding(hostMemory())],
};

async function nearestFolder(path: string): Promise<string> {
  for (let folder = path;; folder = dirname(folder)) {
    const info = await Deno.stat(folder).catch(() => undefined);
    if (info?.isDirectory || folder === dirname(folder)) return folder;
  }
}
