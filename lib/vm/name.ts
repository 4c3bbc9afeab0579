import { z } from "zod";

/** What a VM may be called; it becomes a folder and a hostname. */
export const vmName = z.string().regex(
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  "a VM's name is 1 to 63 lowercase letters, digits and hyphens, with no hyphen at either end",
);
