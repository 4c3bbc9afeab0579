import assert from "node:assert/strict";
import { join } from "node:path";
import { fingerprintOf } from "../../lib/moment/fingerprint.ts";
import { listMoments, setAside } from "../../lib/moment/moment.ts";
import { forgetUnfit, writeUnfit } from "../../lib/moment/unfit.ts";
import { files, templateFiles } from "../../lib/store/files.ts";
import { templates, warm } from "../../lib/system/checks/templates.ts";
import { fixture } from "../image/fixture.ts";
import { base, placeMoment, record } from "../moment/fixture.ts";
import { fakeHost } from "../helpers/fake_host.ts";

Deno.test("a broken template is named, with the command that removes it", async () => {
  await using host = await fakeHost();
  const look = () => templates.run({ ...host, fix: false });
  assert.deepEqual(await look(), [
    { name: "templates", state: "ok", message: "0 templates are sound" },
  ]);
  const folder = files.template(host.context.home, "web");
  await Deno.mkdir(folder);
  await Deno.writeTextFile(join(folder, templateFiles.record), "{");
  const path = join(folder, templateFiles.record);
  assert.deepEqual(await look(), [{
    name: "templates",
    state: "warning",
    message: `Cannot read ${path}: it is not JSON`,
    fix: "nido template delete web",
  }]);
});

Deno.test("a failed warm state is named with its reason, until a newer one is there", async () => {
  await using at = await fixture();
  await using host = await fakeHost();
  const look = () => warm.run({ context: at.context, platform: host.platform, fix: false });
  await placeMoment(at.context, "older");
  assert.deepEqual(await look(), [{ name: "warm", state: "ok", message: "1 warm state is sound" }]);
  const [moment] = await listMoments(at.home);
  await setAside(moment!, "its memory is missing");
  assert.deepEqual(await look(), [{
    name: "warm",
    state: "warning",
    message:
      'The warm state of image "debian" for 2 CPUs and 512 MiB failed: its memory is missing',
    fix: "nido image warm debian --cpus 2 --memory 512M",
  }]);
  const newer = await placeMoment(at.context, "newer");
  const path = join(newer, "moment.json");
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace("2026-01-02T", "2026-01-03T"));
  assert.deepEqual(await look(), [{ name: "warm", state: "ok", message: "1 warm state is sound" }]);
});

Deno.test("a base that could not be made warm is named, until that is forgotten", async () => {
  await using at = await fixture();
  await using host = await fakeHost();
  const look = () => warm.run({ context: at.context, platform: host.platform, fix: false });
  const print = await fingerprintOf(at.context, base.digest, record, "shared");
  const context = { ...at.context, now: () => new Date("2026-01-02T03:04:05Z") };
  await writeUnfit(context, print, 'image "debian" can\'t be made warm: it has no python3');
  assert.deepEqual(await look(), [{
    name: "warm",
    state: "warning",
    message:
      'image "debian" can\'t be made warm: it has no python3 (found 2026-01-02T03:04:05.000Z)',
  }]);
  await forgetUnfit(at.home, print);
  assert.deepEqual(await look(), [
    { name: "warm", state: "ok", message: "0 warm states are sound" },
  ]);
});
