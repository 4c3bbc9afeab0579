import { z } from "zod";
import { operation } from "../operation.ts";
import { pause } from "../qemu/letting_go.ts";
import { mustBe, mustBeSound, vmField, withMonitor, withVm } from "./vm.ts";

export default operation({
  name: "vm.pause",
  summary: "Freeze a running VM where it stands",
  description: "The guest stands still and keeps its memory until it is resumed.",
  effect: "change",
  input: z.strictObject({ name: vmField }),
  output: z.strictObject({
    name: z.string().describe("Name of the VM"),
    state: z.literal("paused").describe("Always paused"),
  }),
  positional: ["name"],
  examples: ["nido pause web"],
  text: ({ name }) => `"${name}" holds its breath`,
  async run(context, { name }) {
    await withVm(context, name, "pause", async (vm) => {
      mustBe(vm, "pause", ["running"]);
      await withMonitor(context, mustBeSound(vm), "work", pause);
    });
    return { name, state: "paused" as const };
  },
});
