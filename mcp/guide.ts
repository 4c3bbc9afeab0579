import { load } from "../lib/cli/run.ts";
import type { Tool } from "./tools.ts";

/** The one-page manual, of the tools that this server offers. */
export async function guide(tools: Map<string, Tool>): Promise<string> {
  const lines = [...tools.values()].map(({ name, listed }) => `- \`${name}\`: ${listed.title}`);
  const spawn = await load("vm.spawn");
  return `# Nido for agents

Real virtual machines on this computer, each with a disk, a network and an SSH server of its own.
What happens in one stays in it. You are its administrator: \`user: "root"\` in \`vm_exec\` runs as root.

## A whole job

1. \`vm_spawn {}\` hatches a VM from the default image, \`vm_spawn {"image":"NAME"}\` from another.
   ${spawn.description ?? ""} A first spawn from an image can take minutes: the answer then has
   \`pending: true\` and the name; \`vm_wait {"name":"NAME"}\` goes on waiting.
2. \`vm_write_file\` puts text into it, \`vm_exec {"name":"NAME","command":["sh","-c","..."]}\` runs
   something. \`command\` is a program and its arguments, passed exactly; pipes, \`&&\` and \`$HOME\`
   need \`sh -c\`. An exit code other than 0 is a result, not an error.
3. What takes longer than half a minute: \`vm_exec\` with \`background: true\` gives a job. It runs on
   when you are gone; \`job_wait\`, \`job_output\` and \`job_kill\` go on from its id. So does long work of
   the host, whose answer has \`pending: true\` and a \`job\`.
4. \`snapshot_create\` before a risky step, \`snapshot_restore\` to be back there. \`vm_fork\` makes running
   copies, to try several things at once.
5. \`vm_read_file\` takes results out. \`vm_delete {"names":["NAME"],"force":true,"confirm":true}\` ends it.

## What answers look like

- \`hint\` is the next call to make. \`pending: true\` means that the work goes on: make that call.
- Lists come in pages: \`nextOffset\` is the \`offset\` of the next one.
- Long texts lack their middle, and say how much. Counts such as \`stdoutBytes\` are of the whole.
- An error says \`code: what happened\`, then the next call. \`wrong_state\` and \`not_found\` are yours to
  put right, \`busy\` and \`timeout\` pass, \`host_missing\` and \`exhausted\` are for the user.

## Tools

${lines.join("\n")}
`;
}
