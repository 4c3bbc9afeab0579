import { z } from "zod";
import { NidoError } from "../errors.ts";

/** What a VM may be called; it becomes a folder and a hostname. */
export const vmName = z.string().regex(
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  "a VM's name is 1 to 63 lowercase letters, digits and hyphens, with no hyphen at either end",
);

/** Refuses what no VM can be called: it would be a path to somewhere else. */
export function checkVmName(name: string): void {
  const { error } = vmName.safeParse(name);
  if (!error) return;
  throw new NidoError(
    "invalid_input",
    `No VM ${JSON.stringify(name)}: ${error.issues[0]!.message}`,
    {
      hint: "nido list",
    },
  );
}
