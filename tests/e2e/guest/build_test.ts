import assert from "node:assert/strict";
import { join } from "node:path";
import { run } from "../../../lib/host/process.ts";
import { startNido } from "../../helpers/command.ts";
import { sampleBuild, sampleCatalog } from "../../catalog/sample.ts";
import { Nest } from "../../helpers/guest.ts";
import { cannotBuild } from "../../recipe/workshop.ts";

const BASE = "debian:12";

Deno.test({
  name: "a spawn with no image named, where no download is reached, builds Debian here",
  ignore: cannotBuild,
  fn: async () => {
    await using nest = await Nest.make();
    const catalog = sampleCatalog();
    catalog.images[1]!.versions[1]!.builds = {
      x86_64: sampleBuild({ url: "http://127.0.0.1:1/debian-12.qcow2" }),
    };
    await Deno.writeTextFile(nest.at("images.json"), JSON.stringify(catalog));
    await nest.ok(["config", "set", "catalog", nest.at("images.json")]);
    await nest.ok(["config", "set", "warm", "off"]);

    const spawned = await nest.data(["spawn", "demo", "--memory", "512M"]);
    assert.deepEqual([spawned.image, spawned.user, spawned.firstBoot], [
      "debian:12",
      "debian",
      "done",
    ]);
    assert.deepEqual(spawned.problems, [
      "its image was built here by the recipe debian-12: no download can be reached",
    ]);
    const script = ". /etc/os-release; less -V; echo $ID:$VERSION_ID";
    const said = await nest.ok(["exec", "demo", "--", "sh", "-c", script]);
    assert.match(said, /^less \d+[\s\S]*\ndebian:12\n$/);

    const info = await nest.data(["image", "info", "debian:bookworm"]);
    assert.deepEqual(
      [info.name, info.origin, info.source, info.firmware, info.architecture],
      ["debian:12", "built", "debian-12", "bios", "x86_64"],
    );
    const again = await nest.data(["image", "build", "debian-12", "--name", "debian:12"]);
    assert.equal(again.image.digest, spawned.digest, "the recipe gave it before");
  },
});

const RECIPE = `
kind: customize
description: With all that a recipe can do
base: ${BASE}
memoryMib: 512
timeoutSeconds: 900
userData: |
  #cloud-config
  write_files:
    - path: /srv/seeded
      content: seeded
files:
  - path: /srv/inline/note
    content: "a 'note'"
    mode: "600"
  - path: /srv/one
    source: one
    mode: "755"
  - path: /srv/all
    source: all
scripts:
  - name: look around
    content: |
      cat /srv/seeded; echo
      hostname; id -un
      sha256sum < /etc/machine-id >/srv/machine
      sha256sum < /etc/ssh/ssh_host_ed25519_key >/srv/host
      echo 'secret command' >/root/.bash_history
  - source: setup.py
`;

Deno.test("an image is built from another one, and holds nothing of the VM that it was made in", async (t) => {
  await using nest = await Nest.shared("custom");
  await Deno.writeTextFile(nest.at("mine.yaml"), RECIPE);
  await Deno.writeTextFile(nest.at("one"), "one");
  await Deno.mkdir(nest.at("all/inner"), { recursive: true });
  await Deno.writeTextFile(nest.at("all/inner/two"), "two", { mode: 0o640 });
  await Deno.writeTextFile(
    nest.at("setup.py"),
    "#!/usr/bin/env python3\nopen('/srv/python', 'w').write('3')\n",
  );
  const { code, stdout, stderr } = await nest.run([
    "image",
    "build",
    nest.at("mine.yaml"),
    "--json",
  ]);
  assert.equal(code, 0, stderr);
  const { image, reused, problems } = JSON.parse(stdout).data;
  try {
    assert.deepEqual([image.name, image.origin, image.source], [
      "mine",
      "built",
      nest.at("mine.yaml"),
    ]);
    assert.deepEqual([reused, problems], [false, []]);
    await assertNothingLeft(nest);

    await t.step("its disk holds no identity", async () => {
      const raw = nest.at("raw");
      await run("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", image.diskPath, raw]);
      const ask = async (request: string) => {
        const { stdout } = await run("/usr/sbin/debugfs", [
          "-R",
          request,
          `${raw}?offset=${2 ** 21}`,
        ]);
        return new TextDecoder().decode(stdout);
      };
      const names = (await ask("ls -p /etc/ssh")).split("\n").map((line) => line.split("/")[5]);
      assert.ok(names.includes("sshd_config"), names.join());
      assert.deepEqual(names.filter((name) => name?.startsWith("ssh_host")), []);
      assert.equal(await ask("cat /etc/machine-id"), "");
      assert.equal(await ask("cat /root/.bash_history"), "");
      assert.equal(await ask("cat /srv/seeded"), "seeded");
      await Deno.remove(raw);
    });

    await t.step(
      "a VM of it has what the recipe put there, and an identity of its own",
      async () => {
        await nest.ok(["spawn", "custom-a", "--image", "mine", "--memory", "512M"]);
        const look =
          "cd /srv; sudo stat -c '%n %a %U' inline/note one all/inner/two; sudo cat inline/note one " +
          "all/inner/two seeded python; echo; cat machine; sha256sum < /etc/machine-id; cat host; " +
          "sudo sha256sum /etc/ssh/ssh_host_ed25519_key";
        const lines = (await nest.ok(["exec", "custom-a", "--", "sh", "-c", look])).split("\n");
        assert.deepEqual(lines.slice(0, 4), [
          "inline/note 600 root",
          "one 755 root",
          "all/inner/two 640 root",
          "a 'note'onetwoseeded3",
        ]);
        const [machine, ownMachine, host, ownHost] = lines.slice(4).map((line) =>
          line.split(" ")[0]
        );
        assert.match(machine!, /^[0-9a-f]{64}$/);
        assert.notEqual(machine, ownMachine);
        assert.notEqual(host, ownHost);
        await nest.ok(["delete", "custom-a", "--force"]);
      },
    );

    await t.step("the same recipe again finds it", async () => {
      const again = await nest.data(["image", "build", nest.at("mine.yaml")]);
      assert.deepEqual([again.reused, again.image.digest], [true, image.digest]);
    });
  } finally {
    await nest.ok(["image", "remove", "mine"]);
  }
});

Deno.test("a build whose script fails, or that is ended, leaves nothing", async (t) => {
  await using nest = await Nest.shared("failed");
  const recipe = async (script: string) => {
    const lines = script.split("\n").map((line) => `      ${line}`).join("\n");
    const path = nest.at("failing.yaml");
    await Deno.writeTextFile(
      path,
      `kind: customize\nbase: ${BASE}\nmemoryMib: 512\nscripts:\n  - name: fail\n    content: |\n${lines}\n`,
    );
    return path;
  };

  await t.step("the script's exit code and last words are told", async () => {
    const path = await recipe("echo first\necho 'to the error' >&2\nexit 7");
    const error = await nest.error(["image", "build", path]);
    assert.deepEqual([error.code, error.message], [
      "tool_failed",
      'Cannot build image "failing": script 1 (fail) ended with exit code 7',
    ]);
    assert.equal(error.details.exitCode, 7);
    assert.deepEqual(error.details.lastLines.sort(), ["first", "to the error"]);
    await assertNothingLeft(nest);
  });

  await t.step("Ctrl-C in the middle of a script leaves nothing", async () => {
    const path = await recipe("echo here\nsleep 600");
    const building = startNido(["image", "build", path], { home: nest.home });
    const output = building.output();
    await inScript(nest);
    building.kill("SIGINT");
    assert.equal((await output).code, 130);
    await assertNothingLeft(nest);
  });

  await t.step("what a killed build left is removed by the next one", async () => {
    const path = await recipe("echo here\nsleep 600");
    const building = startNido(["image", "build", path], { home: nest.home });
    const output = building.output();
    await inScript(nest);
    building.kill("SIGKILL");
    assert.equal((await output).signal, "SIGKILL");
    const { vms } = await nest.data(["list"]);
    assert.equal(vms.filter(({ name }: { name: string }) => name.startsWith("build-")).length, 1);
    await nest.error(["image", "build", await recipe("exit 1")]);
    await assertNothingLeft(nest);
  });
});

/** Waits until a build's VM runs its script. */
async function inScript(nest: Nest): Promise<void> {
  for (let left = 600; left > 0; left--) {
    const { vms } = JSON.parse((await nest.run(["list", "--json"])).stdout).data;
    const vm = vms.find(({ name, state }: { name: string; state: string }) =>
      name.startsWith("build-") && state === "running"
    );
    const asked = vm && await nest.run(["exec", vm.name, "--", "pgrep", "-x", "sleep"]);
    if (asked?.code === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  assert.fail("no build runs a script");
}

async function assertNothingLeft(nest: Nest): Promise<void> {
  const { vms } = await nest.data(["list"]);
  const names = vms.map(({ name }: { name: string }) => name);
  assert.deepEqual(names.filter((name: string) => name.startsWith("build-")), []);
  const { images } = await nest.data(["images"]);
  assert.ok(!images.some(({ name }: { name: string }) => name === "failing"));
  for (const folder of ["incubators", "staging"]) {
    assert.deepEqual(
      (await Array.fromAsync(Deno.readDir(join(nest.home, folder)))).length,
      0,
      folder,
    );
  }
}
