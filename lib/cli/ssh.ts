import { NidoError } from "../errors.ts";
import { runInteractive } from "../host/process.ts";
import { progressLine } from "./progress.ts";
import { homeContext, load } from "./run.ts";

/** Opens the system's ssh into a VM; everything after the VM's name goes to ssh untouched. */
export async function ssh(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name.startsWith("-")) {
    throw new NidoError("invalid_input", "Cannot run ssh: NAME is missing", {
      hint: "nido ssh --help",
    });
  }
  const context = await homeContext({ json: false, quiet: true }, progressLine(true));
  const info = await (await load("vm.ssh_info")).call(context, { name });
  const [program = "ssh", ...args] = info.command as string[];
  return await runInteractive(program, [...args, ...rest]);
}
