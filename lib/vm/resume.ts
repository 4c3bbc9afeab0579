import { z } from "zod";
import { operation } from "../operation.ts";
import { goOn } from "./go_on.ts";
import { startHeld, upAndWell } from "./start.ts";
import { mustBe, mustBeSound, vmField, withVm } from "./vm.ts";

export default operation({
  name: "vm.resume",
  summary: "Let a paused or suspended VM go on",
  description:
    "The guest goes on exactly where it was, with the right time; one that slept on the disk loses its " +
    "open connections.",
  effect: "change",
  input: z.strictObject({ name: vmField }),
  output: z.strictObject({
    name: z.string().describe("Name of the VM"),
    state: z.literal("running").describe("Always running"),
    problems: z.array(z.string()).describe("What went wrong without stopping it"),
  }),
  positional: ["name"],
  examples: ["nido resume web"],
  text: ({ name, problems }) =>
    [`"${name}" is on the wing again`, ...problems.map((problem) => `  note: ${problem}`)].join(
      "\n",
    ),
  async run(context, { name }) {
    const { told, started } = await withVm(context, name, "resume", async (vm) => {
      mustBe(vm, "resume", ["paused", "suspended"], `nido info ${name}`);
      if (vm.state === "paused") return { told: await goOn(context, mustBeSound(vm)) };
      return { started: await startHeld(context, vm, { diskOnly: false }) };
    });
    const problems = told ?? (await upAndWell(context, started!, undefined)).problems;
    return { name, state: "running" as const, problems };
  },
});
