import { z } from "zod";
import { copyOutput, copyText } from "./copy_result.ts";
import { downloadFrom } from "../guest/copy.ts";
import { field, operation } from "../operation.ts";
import { openSession } from "./reach.ts";
import { vmField } from "./vm.ts";

export default operation({
  name: "vm.download",
  summary: "Copy a file or folder out of a VM",
  description:
    "Copies like cp -r, and never writes outside the destination, whatever the guest says.",
  effect: "change",
  input: z.strictObject({
    name: vmField,
    source: z.string().min(1).describe("Path in the guest; relative ones begin at the user's home"),
    destination: field("hostPath", z.string().min(1)).describe("File or folder on this host"),
  }),
  output: copyOutput,
  positional: ["name", "source", "destination"],
  examples: ["nido download web /srv/app/out ./out"],
  text: copyText,
  async run(context, { name, source, destination }) {
    await using session = await openSession(context, name, "copy out of");
    return await downloadFrom(session, source, destination, context);
  },
});
