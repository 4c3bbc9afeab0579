import { invalidParams } from "./protocol_error.ts";
import type { GetPromptResult, Prompt } from "./sdk.ts";

/** The prompts that a person can choose in a client. */
export const prompts: Prompt[] = [
  {
    name: "sandbox_task",
    title: "Do a task in a VM of its own",
    description: "Spawns a VM, does the task in it, reports and cleans up",
    arguments: [
      { name: "task", description: "What to do", required: true },
      { name: "image", description: "Image or template to spawn from; the default when left out" },
    ],
  },
  {
    name: "reproduce_bug",
    title: "Reproduce a bug in a clean VM",
    description: "Builds the smallest case that shows the bug, from a snapshot, and reports it",
    arguments: [
      { name: "report", description: "The bug, as it was reported", required: true },
      { name: "image", description: "Image or template to spawn from; the default when left out" },
    ],
  },
];

/** Fills a prompt in. */
export function promptText(name: string, given: Record<string, string> = {}): GetPromptResult {
  const prompt = prompts.find((prompt) => prompt.name === name);
  if (!prompt) throw invalidParams(`There is no prompt "${name}"`);
  for (const { name, required } of prompt.arguments ?? []) {
    if (required && !given[name]) {
      throw invalidParams(`The prompt needs its argument "${name}"`);
    }
  }
  const spawn = given.image ? `vm_spawn ${JSON.stringify({ image: given.image })}` : "vm_spawn {}";
  const text = name === "sandbox_task"
    ? sandboxTask(given.task!, spawn)
    : reproduceBug(given.report!, spawn);
  return {
    description: prompt.description,
    messages: [{ role: "user", content: { type: "text", text } }],
  };
}

function sandboxTask(task: string, spawn: string): string {
  return `Do this in a virtual machine of its own, and nothing of it on my computer:

${task}

1. ${spawn}; when it is pending, vm_wait until it is ready.
2. Work in it with vm_write_file and vm_exec; take a snapshot before a step that could break it.
3. Check the result with a command, don't assume it.
4. Report: what you ran, what came out, what is left open. Take out results with vm_read_file.
5. Delete the VM with vm_delete, unless I asked to keep it; then tell me its name.`;
}

function reproduceBug(report: string, spawn: string): string {
  return `Reproduce this bug in a clean virtual machine:

${report}

1. ${spawn}; when it is pending, vm_wait until it is ready.
2. Install what the report names, in the versions that it names; write down each command.
3. snapshot_create, so that every attempt begins from the same state.
4. Try it. Between attempts snapshot_restore; change one thing at a time.
5. Report the smallest list of commands that shows the bug, the exact output, and the versions. If it
   does not show, say what you tried.
6. Delete the VM with vm_delete.`;
}
