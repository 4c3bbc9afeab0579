// Downloads URL with DIGEST into HOME/stored, as a process that a test can kill; tells on stderr what
// it hears, and on stdout how it ended.
import { makeContext } from "../../lib/context.ts";
import { withDownload } from "../../lib/download/download.ts";
import { QUICK } from "./fixture.ts";

const [home, url, digest] = Deno.args as [string, string, string];
const stored = `${home}/stored`;
const context = makeContext(home, { report: ({ message }) => console.error(message) });
const how = await withDownload<string>(
  context,
  { sources: [[url]], digest, label: "debian:12" },
  async ({ path }) => {
    await Deno.rename(path, stored);
    return "downloaded";
  },
  {
    ...QUICK,
    present: () => Deno.stat(stored).then(() => "present", () => undefined),
  },
);
console.log(how);
