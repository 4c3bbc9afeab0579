import { z } from "zod";
import { operation } from "../operation.ts";
import { start } from "./start.ts";
import { STOP_SECONDS } from "./shut_down.ts";
import { howField, stop } from "./stop.ts";
import { openVm, vmField, vmState } from "./vm.ts";

const input = z.strictObject({
  name: vmField,
  force: z.boolean().default(false).describe("Cut the power instead of shutting down"),
  timeoutSeconds: z.int().min(1).max(86_400).default(600).describe(
    `Seconds to wait until ready; the guest may take ${STOP_SECONDS} of them to shut down first`,
  ),
});

export default operation({
  name: "vm.restart",
  summary: "Shut a VM down and start it again",
  description: "Also applies settings that need a stopped VM. A stopped VM is just started.",
  effect: "change",
  input,
  output: z.strictObject({
    name: z.string().describe("Name of the VM"),
    state: vmState,
    how: howField.optional(),
  }),
  positional: ["name"],
  examples: ["nido restart web"],
  text: ({ name, state, how }) =>
    `"${name}" is ${state} again${how === "forced" ? "; its power was cut" : ""}`,
  async run(context, { name, force, timeoutSeconds }) {
    const { state } = await openVm(context, name);
    const isUp = state === "running" || state === "paused";
    const stopping = { name, force, timeoutSeconds: Math.min(timeoutSeconds, STOP_SECONDS) };
    const how = isUp ? (await stop(context, stopping)).how : undefined;
    const started = await start(context, {
      name,
      wait: "ready",
      diskOnly: false,
      timeoutSeconds,
    });
    return { name, state: started.state, how };
  },
});
