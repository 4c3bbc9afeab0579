import { deadIncubators, sweepIncubators } from "../../moment/incubator.ts";
import type { Check } from "./check.ts";

/** Machines that no user sees, left by commands that died. */
export const incubators: Check = {
  name: "incubators",
  run: async ({ context, fix }) => {
    const name = "incubators";
    const { length } = await deadIncubators(context);
    if (length === 0) return [{ name, state: "ok", message: "No incubator is left over" }];
    const what = `${length} ${length === 1 ? "incubator" : "incubators"}`;
    if (fix) {
      await sweepIncubators(context);
      return [{ name, state: "ok", message: `Swept ${what}`, fixed: true }];
    }
    const message = `${what} of a command that died may still run: the next spawn sweeps it`;
    return [{ name, state: "warning", message, fix: "nido doctor --fix" }];
  },
};
