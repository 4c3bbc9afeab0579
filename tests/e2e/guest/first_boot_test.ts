import assert from "node:assert/strict";
import { BOOT_STAGES } from "../../../lib/guest/boot_stage.ts";
import { Nest } from "../../helpers/guest.ts";

const FAILING = `#!/bin/sh
echo "the egg is rotten"
exit 3
`;

const DEAF = "mkdir -p /etc/systemd/logind.conf.d && " +
  "printf '[Login]\\nHandlePowerKey=ignore\\n' >/etc/systemd/logind.conf.d/deaf.conf && " +
  "systemctl restart systemd-logind";

Deno.test("a first boot that takes too long, and then fails, says so", async (t) => {
  await using nest = await Nest.withGuestImage();
  await nest.ok(["config", "set", "warm", "off"]);
  await Deno.writeTextFile(nest.at("failing.sh"), FAILING);
  const asked = [
    "spawn",
    "egg",
    "--image",
    "debian:12",
    "--memory",
    "512M",
    "--user-data",
    nest.at("failing.sh"),
  ];

  await t.step("a timeout names the stage, shows the console, keeps the VM", async () => {
    const late = await nest.error([...asked, "--timeout", "20s"]);
    assert.equal(late.code, "timeout");
    const { stage } = late.details;
    assert.equal(late.message, `VM "egg" was not ready within 20 s: it was in stage ${stage}`);
    assert.ok(["firmware", "kernel", "network"].includes(stage), stage);
    assert.equal(late.hint, "nido wait egg, or look: nido logs egg");
    assert.ok(late.details.consoleLines.length > 0);
    assert.equal((await nest.data(["info", "egg"])).state, "running");
  });

  await t.step("a person sees the stages go by, in their order", async () => {
    const { stderr } = await nest.run(["wait", "egg"]);
    const lines = stderr.matchAll(/^([a-z-]+): "egg": .+ \(\d+ s\)$/gm);
    const stages = [...new Set(Array.from(lines, ([, stage]) => stage!))];
    const order: readonly string[] = BOOT_STAGES;
    assert.deepEqual(stages, order.filter((stage) => stages.includes(stage)));
    for (const stage of ["network", "ssh", "cloud-init"]) assert.ok(stages.includes(stage), stderr);
  });

  await t.step("a failing part of cloud-init is named by wait", async () => {
    const failed = await nest.error(["wait", "egg"]);
    assert.equal(failed.code, "tool_failed");
    assert.match(failed.message, /^First boot of VM "egg" failed: .*scripts[-_]user/);
    assert.equal(failed.hint, "nido exec egg -- cloud-init status --long");
    assert.equal(failed.details.stage, "cloud-init");
    assert.ok(
      failed.details.consoleLines.some((line: string) => line.includes("the egg is rotten")),
    );
  });

  await t.step("a VM that ends while it is waited for is told from one that is slow", async () => {
    const waiting = nest.error(["wait", "egg", "--for", "stopped", "--timeout", "10m"]).catch((
      error,
    ) => error);
    // This guest ignores its power button, so its agent is asked.
    await nest.ok(["exec", "egg", "--", "sudo", "sh", "-c", DEAF]);
    assert.equal((await nest.data(["stop", "egg", "--timeout", "2m"])).how, "agent");
    const said = await waiting;
    assert.match(String(said.message), /did not fail/);
    const refused = await nest.error(["wait", "egg"]);
    assert.equal(refused.code, "wrong_state");
    assert.equal(refused.message, 'Cannot wait for VM "egg": it is stopped');
    assert.equal(refused.hint, "nido start egg");
  });

  await t.step("with --rm-on-failure nothing is left", async () => {
    const late = await nest.error([
      "spawn",
      "gone",
      ...asked.slice(2),
      "--timeout",
      "2s",
      "--rm-on-failure",
    ]);
    assert.equal(late.code, "timeout");
    const names = (await nest.data(["list"])).vms.map((vm: { name: string }) => vm.name);
    assert.deepEqual(names, ["egg"]);
  });
});
