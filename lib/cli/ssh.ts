import { NidoError } from "../errors.ts";
import { runInteractive } from "../host/process.ts";
import { sshAccess } from "../vm/ssh_access.ts";
import { mustBe, openSoundVm } from "../vm/vm.ts";
import { progressLine } from "./progress.ts";
import { homeContext } from "./run.ts";

/** Opens the system's ssh into a VM; everything after the VM's name goes to ssh untouched. */
export async function ssh(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name.startsWith("-")) {
    throw new NidoError("invalid_input", "Cannot run ssh: NAME is missing", {
      hint: "nido ssh --help",
    });
  }
  const context = await homeContext({ json: false, quiet: true }, progressLine(true));
  const vm = await openSoundVm(context, name);
  mustBe(vm, "open a shell in", ["running"]);
  const [program = "ssh", ...args] = sshAccess(context, vm).command;
  return await runInteractive(program, [...args, ...rest]);
}
