import assert from "node:assert/strict";
import { hostMemory } from "../../../lib/host/platform.ts";
import { namesIn } from "../../../lib/store/record.ts";
import { files } from "../../../lib/store/files.ts";
import { nest } from "../../helpers/nest.ts";

Deno.test("a template whose copy finds no memory is refused beforehand, and its VM goes on", async () => {
  await using home = await nest();
  const memoryMib = hostMemory().totalMib;
  await home.spawn("large", { memoryMib });
  const create = () =>
    home.call("template.create", { vm: "large", name: "base" }).then(
      () => assert.fail("it was made"),
      (error) => error,
    );
  const refused = async () => {
    const { code, message, details } = await create();
    assert.equal(code, "exhausted");
    assert.equal(
      message,
      `Cannot copy VM "large" for a template: ${memoryMib} MiB of memory are needed, and this host ` +
        `has ${details.availableMib} MiB left`,
    );
    assert.deepEqual(await namesIn(files.incubators(home.home)), []);
    assert.deepEqual(await namesIn(files.templates(home.home)), []);
  };
  await refused();
  assert.equal((await home.row("large"))?.state, "running");
  await home.call("vm.stop", { name: "large", force: true });
  await refused();
});
