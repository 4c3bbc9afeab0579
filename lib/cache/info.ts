import { z } from "zod";
import { operation } from "../operation.ts";
import { cachedDisk, openCached, shownDisk } from "./cache.ts";

/** How a stored disk is named: its digest, or as much of it as no other has. */
export const digestInput = z.string().regex(
  /^(sha256:|sha512:)?[0-9a-f]{6,128}$/,
  "use a digest from nido cache list, or its first six or more digits",
);

export default operation({
  name: "cache.info",
  summary: "Show all that is known of a stored disk",
  effect: "read",
  input: z.strictObject({ digest: digestInput.describe("Its digest, or the beginning of it") }),
  output: cachedDisk,
  positional: ["digest"],
  examples: ["nido cache info sha256:0123456789ab"],
  run: async ({ home }, { digest }) => shownDisk(await openCached(home, digest)),
});
