import { z } from "zod";
import { copyOutput, copyText } from "./copy_result.ts";
import { uploadTo } from "../guest/copy.ts";
import { field, operation } from "../operation.ts";
import { openSession } from "./reach.ts";
import { vmField } from "./vm.ts";

export default operation({
  name: "vm.upload",
  summary: "Copy a file or folder into a VM",
  description: "Copies like cp -r: into the destination if it is a folder, else to that name.",
  effect: "change",
  input: z.strictObject({
    name: vmField,
    source: field("hostPath", z.string().min(1)).describe("File or folder on this host"),
    destination: z.string().min(1).describe(
      "Path in the guest; relative ones begin at the user's home",
    ),
  }),
  output: copyOutput,
  positional: ["name", "source", "destination"],
  examples: ["nido upload web ./app /srv/app"],
  text: copyText,
  async run(context, { name, source, destination }) {
    await using session = await openSession(context, name, "copy into");
    return await uploadTo(session, source, destination, context);
  },
});
