import { z } from "zod";
import { operation } from "../operation.ts";
import { startHeld, upAndWell } from "./start.ts";
import { STOP_SECONDS } from "./shut_down.ts";
import { howField, stopHeld } from "./stop.ts";
import { vmField, vmState, withVm } from "./vm.ts";

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
  description:
    "Nobody else starts, changes or deletes it in between. A stopped VM is just started.",
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
    const stopping = { force, timeoutSeconds: Math.min(timeoutSeconds, STOP_SECONDS) };
    const { how, started } = await withVm(context, name, "restart", async (vm) => {
      const isUp = vm.state === "running" || vm.state === "paused";
      const how = isUp ? await stopHeld(context, vm, stopping) : undefined;
      return { how, started: await startHeld(context, vm, { diskOnly: false }) };
    });
    const { state } = await upAndWell(context, started, timeoutSeconds);
    return { name, state, how };
  },
});
