import { z } from "zod";
import { operation } from "../operation.ts";
import { start } from "./start.ts";
import { stop } from "./stop.ts";
import { openVm, vmField, vmState } from "./vm.ts";

const input = z.strictObject({
  name: vmField,
  force: z.boolean().default(false).describe("Cut the power instead of shutting down"),
  timeoutSeconds: z.int().min(1).max(86_400).default(600).describe(
    "Seconds for shutting down, and again for getting ready",
  ),
});

export default operation({
  name: "vm.restart",
  summary: "Shut a VM down and start it again",
  description: "Also applies settings that need a stopped VM. A stopped VM is just started.",
  effect: "change",
  input,
  output: z.strictObject({ name: z.string().describe("Name of the VM"), state: vmState }),
  positional: ["name"],
  examples: ["nido restart web"],
  text: ({ name, state }) => `"${name}" is ${state} again`,
  async run(context, { name, force, timeoutSeconds }) {
    const { state } = await openVm(context, name);
    if (state === "running" || state === "paused") {
      await stop(context, { name, force, timeoutSeconds: Math.min(timeoutSeconds, 3600) });
    }
    return { name, state: (await start(context, { name, wait: "ready", timeoutSeconds })).state };
  },
});
