import { z } from "zod";
import type { Context } from "../context.ts";
import { operation } from "../operation.ts";
import { type SshAccess, sshAccess, sshCommandLine } from "./ssh_access.ts";
import { openSoundVm, vmField } from "./vm.ts";

/** How the system's ssh gets into a VM. */
export async function sshInfo(context: Context, name: string): Promise<SshAccess> {
  return sshAccess(context, await openSoundVm(context, name));
}

export default operation({
  name: "vm.ssh_info",
  summary: "Show how to reach a VM with ssh",
  description: "Host, port, user, key files and the whole ssh command line.",
  effect: "read",
  input: z.strictObject({ name: vmField }),
  output: z.strictObject({
    host: z.string().describe("Always loopback"),
    port: z.int().min(0).max(65535).describe("Port on this host; 0 before the first start"),
    user: z.string().describe("Login user"),
    identityFile: z.string().describe("This home's own private key"),
    knownHostsFile: z.string().describe("File with the only host key that is right"),
    command: z.array(z.string()).describe("The ssh command, word by word"),
  }),
  positional: ["name"],
  examples: ["nido ssh-info web --json"],
  text: (access) => sshCommandLine(access),
  run: (context, { name }) => sshInfo(context, name),
});
