import assert from "node:assert/strict";
import { files } from "../../../lib/store/files.ts";
import { namesIn } from "../../../lib/store/record.ts";
import { sweepStaging } from "../../../lib/store/staging.ts";
import { exportTemplate } from "../../../lib/template/export.ts";
import { openTemplate } from "../../../lib/template/template.ts";
import { verifyTemplate } from "../../../lib/template/verify.ts";
import { runVictim } from "../../helpers/victim.ts";
import { writeQcow2 } from "../../image/fixture.ts";
import { store, withTemplate } from "../../template/fixture.ts";

/** Before it, the home's folders are made and the file is read, and nothing is there to see. */
const FIRST_STEP = 27;

Deno.test("killed at any step, a replacement leaves the old template or the new one", async () => {
  await using at = await withTemplate();
  const old = at.template.digest;
  const file = at.at("new.tar");
  const other = await writeQcow2(at.at("other.qcow2"), 1 << 20, 5);
  const { digest } = await store(at, "new", { diskSource: other });
  await exportTemplate(at.context, { name: "new", file, force: false });

  let isOver = false;
  let next = FIRST_STEP;
  const seen = new Set<string>();
  const victim = async (name: string) => {
    let now = "";
    while (!isOver) {
      const atStep = next++;
      if (now !== old) await store(at, name, { force: true });
      const args = ["template", "import", file, "--name", name, "--force"];
      const { signal, stderr } = await runVictim(at.home, args, { atStep });
      const found = await openTemplate(at.context, name);
      assert.ok([old, digest].includes(found.digest), stderr);
      await verifyTemplate(at.context, name);
      seen.add(now = found.digest);
      if (signal !== "SIGKILL") isOver = true;
    }
  };
  await Promise.all([victim("web"), victim("web-2")]);
  assert.deepEqual([...seen].sort(), [old, digest].sort());
  await sweepStaging(at.home);
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
  for (const name of ["web", "web-2"]) await store(at, name, { force: true });
  assert.deepEqual(await namesIn(files.templates(at.home)), ["new", "web", "web-2"]);
});
