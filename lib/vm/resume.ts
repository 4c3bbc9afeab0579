import { z } from "zod";
import { operation } from "../operation.ts";
import { mustBe, mustBeSound, vmField, withMonitor, withVm } from "./vm.ts";

export default operation({
  name: "vm.resume",
  summary: "Let a paused VM go on",
  description: "The guest goes on exactly where it was paused.",
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
    await withVm(context, name, "resume", async (vm) => {
      mustBe(vm, "resume", ["paused"], `nido info ${name}`);
      await withMonitor(context, mustBeSound(vm), "work", (qmp) => qmp.execute("cont"));
    });
    return { name, state: "running" as const };
  },
});
