import { join } from "node:path";
import { allCommandLines } from "../../host/process.ts";
import { listIncubators } from "../../moment/incubator.ts";
import { files } from "../../store/files.ts";
import { namesIn, removeIfThere } from "../../store/record.ts";
import { runFolder, runRoot } from "../../store/run_folder.ts";
import { listVms } from "../../vm/vm.ts";
import type { Check, Examination, Finding } from "./check.ts";

/** VMs that are broken or crashed, or don't answer. */
export const vms: Check = {
  name: "vms",
  run: async ({ context }) => {
    const all = await listVms(context);
    const findings = all.flatMap(({ name, state, problems }): Finding[] => {
      if (state === "crashed") {
        const message = `VM "${name}" crashed`;
        return [{ name: "vms", state: "warning", message, fix: `nido start ${name}` }];
      }
      if (problems.length === 0) return [];
      const message = `VM "${name}" is ${state}: ${problems.join("; ")}`;
      const fix = state === "broken" ? `nido delete ${name}` : `nido info ${name}`;
      return [{ name: "vms", state: "warning", message, fix }];
    });
    if (findings.length > 0) return findings;
    const message = all.length === 1 ? "1 VM is sound" : `${all.length} VMs are sound`;
    return [{ name: "vms", state: "ok", message }];
  },
};

/** Folders of sockets that belong to no VM. */
export const sockets: Check = {
  name: "sockets",
  run: async (examination) => {
    const stale = await staleRunFolders(examination);
    if (examination.fix) { for (const folder of stale) await removeIfThere(folder); }
    if (stale.length === 0) {
      return [{ name: "sockets", state: "ok", message: "No sockets are left over" }];
    }
    const what = stale.join(", ");
    if (examination.fix) {
      return [{ name: "sockets", state: "ok", message: `Removed sockets: ${what}`, fixed: true }];
    }
    const message = `Sockets of VMs that are gone are left over: ${what}`;
    return [{ name: "sockets", state: "warning", message, fix: "nido doctor --fix" }];
  },
};

// Race: a VM may be made between the two looks, so the folders are listed first: one that has no VM
// afterwards had its VM deleted.
async function staleRunFolders({ context }: Examination): Promise<string[]> {
  const root = await runRoot(context.home);
  const found = (await namesIn(root)).map((name) => join(root, name));
  const known = await listVms(context);
  const machines = [...known, ...await listIncubators(context)];
  const used = await Promise.all(machines.map((vm) => runFolder(context.home, vm)));
  return found.filter((folder) => !used.includes(folder));
}

/** QEMU processes of this home that belong to no VM. */
export const orphans: Check = {
  name: "orphans",
  run: async ({ context }) => {
    const folder = files.vms(context.home);
    const claimed = new Map<number, string>();
    for (const [pid, line] of await allCommandLines()) {
      const program = /^\S*qemu-system-\S+ /.test(line);
      const pidFile = program && line.split(" -pidfile ")[1]?.split(/ (?=-)/)[0];
      if (pidFile && pidFile.startsWith(join(folder, "/"))) claimed.set(pid, pidFile);
    }
    const findings: Finding[] = [];
    for (const [pid, pidFile] of claimed) {
      const written = await Deno.readTextFile(pidFile).catch(() => "");
      if (Number.parseInt(written, 10) === pid || await isStarting(pidFile)) continue;
      const message = `QEMU process ${pid} belongs to no VM any more`;
      findings.push({ name: "orphans", state: "warning", message, fix: `kill ${pid}` });
    }
    if (findings.length > 0) return findings;
    return [{ name: "orphans", state: "ok", message: "No QEMU runs without its VM" }];
  },
};

/** A QEMU that was just started writes its pid file a moment later. */
async function isStarting(pidFile: string): Promise<boolean> {
  const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);
  return await isThere(join(pidFile, "..")) && !await isThere(pidFile);
}
