import { z } from "zod";
import { operation } from "../operation.ts";
import { start } from "./start.ts";
import { mustBe, mustBeSound, vmField, withMonitor, withVm } from "./vm.ts";

export default operation({
  name: "vm.resume",
  summary: "Let a paused or suspended VM go on",
  description: "The guest goes on exactly where it was; one that slept gets the right time.",
  effect: "change",
  input: z.strictObject({ name: vmField }),
  output: z.strictObject({
    name: z.string().describe("Name of the VM"),
    state: z.literal("running").describe("Always running"),
  }),
  positional: ["name"],
  examples: ["nido resume web"],
  text: ({ name }) => `"${name}" is on the wing again`,
  async run(context, { name }) {
    const wasPaused = await withVm(context, name, "resume", async (vm) => {
      mustBe(vm, "resume", ["paused", "suspended"], `nido info ${name}`);
      if (vm.state === "suspended") return false;
      await withMonitor(context, mustBeSound(vm), "work", (qmp) => qmp.execute("cont"));
      return true;
    });
    if (!wasPaused) {
      await start(context, { name, wait: "running", diskOnly: false, timeoutSeconds: 600 });
    }
    return { name, state: "running" as const };
  },
});
