/** Ends the QEMUs that have a path of this folder in their command line, by pid; gives their lines. */
export function endMachines(folder: string): string[] {
  const found = machineLines(folder);
  for (const line of found) Deno.kill(Number.parseInt(line), "SIGKILL");
  return found;
}

/** The pid and command line of each QEMU that has this path in it. */
export function machineLines(path: string): string[] {
  const args = ["-ww", "-eo", "pid=,stat=,args="];
  const { stdout } = new Deno.Command("ps", { args, env: { LC_ALL: "C.UTF-8" } }).outputSync();
  return new TextDecoder().decode(stdout).split("\n")
    .filter((line) => /^\s*\d+\s+[^Z\s]\S*\s+\S*qemu-system/.test(line) && line.includes(path));
}
