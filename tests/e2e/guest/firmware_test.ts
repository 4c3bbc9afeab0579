import assert from "node:assert/strict";
import { Nest } from "../../helpers/guest.ts";
import { bootDisk, IDLE } from "../../helpers/boot_sector.ts";

for (const [architecture, firmware] of [["x86_64", "uefi"], ["aarch64", "uefi"]]) {
  Deno.test(`a ${architecture} machine starts by ${firmware} firmware and tells on its console`, async () => {
    await using nest = await Nest.make();
    await Deno.writeFile(nest.at("tiny.raw"), bootDisk(IDLE));
    await nest.ok([
      "image",
      "import",
      nest.at("tiny.raw"),
      "--name",
      "tiny",
      "--format",
      "raw",
      "--architecture",
      architecture!,
      "--firmware",
      firmware!,
    ]); // deno-fmt-ignore
    const spawned = await nest.data(["spawn", "egg", "--image", "tiny", "--memory", "256M", "--wait", "running"]);
    assert.equal(spawned.state, "running");
    const info = await nest.data(["info", "egg"]);
    assert.equal(info.firmware, "uefi");
    assert.equal(info.architecture, architecture);
    let log = "";
    for (let look = 0; look < 120 && !/BdsDxe|UEFI/.test(log); look++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      log = await nest.ok(["logs", "egg"]);
    }
    assert.match(log, /BdsDxe|UEFI/);
    await nest.ok(["stop", "egg", "--force"]);
    await nest.ok(["start", "egg", "--wait", "running"]);
  });
}
