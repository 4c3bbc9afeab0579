import assert from "node:assert/strict";
import { run } from "../../../lib/host/process.ts";
import { Nest } from "../../helpers/guest.ts";
import { COUNT, START_COUNTING } from "../../helpers/guest_scripts.ts";

const USER_DATA = `#cloud-config
runcmd:
  - [sh, -c, "echo SECRET-USER-DATA >/dev/null"]
`;

/** Leaves a secret in every place that a template must not keep, and prints those of the machine. */
const LEAVE_SECRETS = `set -e
echo "mysql -p SECRET-HISTORY" >>~/.bash_history
echo "SECRET-LOG-FILE" | sudo tee -a /var/log/app.log >/dev/null
logger SECRET-SYSLOG || echo SECRET-SYSLOG | sudo systemd-cat
for number in $(seq 30); do echo "SECRET-DELETED $number" >~/deleted-$number; done
sync
rm ~/deleted-*
sudo fstrim / # what the disk's clusters are too large to discard now, no later trim would try
echo "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAISECRETLOGIN me" >>~/.ssh/authorized_keys
echo SECRET-TEMPORARY | sudo tee /var/tmp/note >/dev/null
echo KEPT | sudo tee /etc/kept >/dev/null
sync
cat /etc/machine-id
sudo cat /var/lib/cloud/data/instance-id
sudo grep -v -- '-----' /etc/ssh/ssh_host_ed25519_key`;

const PLANTED = [
  ...["SECRET-USER-DATA", "SECRET-HISTORY", "SECRET-LOG-FILE", "SECRET-SYSLOG"],
  ...["SECRET-DELETED", "SECRETLOGIN", "SECRET-TEMPORARY"],
];

const WHO = `hostname
cat /etc/machine-id
sudo cat /etc/ssh/ssh_host_ed25519_key.pub
sudo cat /var/lib/cloud/data/instance-id`;

Deno.test("a template of a VM that runs", async (t) => {
  await using nest = await Nest.shared("mould");
  const shell = (name: string, script: string) => nest.ok(["exec", name, "--", "sh", "-c", script]);
  const templates = ["mould-web", "mould-whole", "mould-again", "mould-stopped"];
  let secrets: string[] = [];
  let source: string[] = [];

  try {
    await t.step("a VM has secrets everywhere, and a program runs in it", async () => {
      await Deno.writeTextFile(nest.at("user-data.yaml"), USER_DATA);
      await nest.hatch("mould", "--port", "web:8000", "--user-data", nest.at("user-data.yaml"));
      const own = (await shell("mould", LEAVE_SECRETS)).trim().split("\n");
      // The first line of every such key is the same, the second holds the length of its type.
      secrets = [...PLANTED, ...own.slice(0, 2), ...own.slice(4)];
      assert.ok(secrets.length > PLANTED.length + 3, own.join("\n"));
      source = (await shell("mould", WHO)).trim().split("\n");
      await shell("mould", START_COUNTING);
    });

    await t.step("it runs on as it was while a template is made of it", async () => {
      const boot = "cat /proc/sys/kernel/random/boot_id";
      const [bootId, before] = [await shell("mould", boot), await shell("mould", COUNT)];
      const { template, problems } = await nest.data(
        ["template", "create", "mould", "mould-web", "--label", "team=birds"],
      );
      assert.deepEqual(problems, []);
      assert.deepEqual([template.keptIdentity, template.ports], [false, ["web:8000"]]);
      assert.equal(await shell("mould", boot), bootId);
      const [[pid, first], [now, second]] = [before, await shell("mould", COUNT)]
        .map((line) => line.split(" ").map(Number)) as [number[], number[]];
      assert.equal(now, pid);
      assert.ok(second! > first!, `${first} ${second}`);
      assert.deepEqual((await shell("mould", WHO)).trim().split("\n"), source);
    });

    await t.step("no byte of its disk holds a secret", async () => {
      assert.deepEqual(await found(nest, "mould-web", [...secrets, "KEPT"]), ["KEPT"]);
    });

    await t.step("the first VM makes it warm, the second wakes, each its own machine", async () => {
      const first = await nest.data(["spawn", "mould-one", "mould-web"]);
      assert.equal(first.spawnPath, "warm", first.spawnPathReason);
      assert.ok(first.timings.incubateSeconds > 0);
      const second = await nest.data(["spawn", "mould-two", "--template", "mould-web"]);
      assert.match(
        second.spawnPathReason,
        /^it woke from the memory of template "mould-web", frozen /,
      );
      assert.equal(second.timings.incubateSeconds, undefined);
      const machines = [source];
      for (const name of ["mould-one", "mould-two"]) {
        const { template, memoryMib, user, ports } = await nest.data(["info", name]);
        assert.deepEqual([template, memoryMib, user], ["mould-web", 512, "nido"]);
        assert.deepEqual(ports.map(({ guest }: { guest: number }) => guest), [22, 8000]);
        assert.equal(await shell(name, "cat /etc/kept"), "KEPT\n");
        machines.push((await shell(name, WHO)).trim().split("\n"));
      }
      for (const line of [0, 1, 2, 3]) {
        assert.equal(new Set(machines.map((lines) => lines[line])).size, 3, `line ${line}`);
      }
    });

    await t.step("it is not deleted while VMs stand on it, and they are named", async () => {
      const { code, message } = await nest.error(["template", "delete", "mould-web"]);
      const fact = 'Cannot delete template "mould-web": in use by mould-one, mould-two';
      assert.deepEqual([code, message], ["in_use", fact]);
      const { warm } = await nest.data(["template", "info", "mould-web"]);
      assert.deepEqual(
        warm.map(({ cpus, memoryMib }: { cpus: number; memoryMib: number }) => [cpus, memoryMib]),
        [[2, 512]],
      );
    });

    await t.step(
      "with its identity kept, all of that is in it, and it survives a file",
      async () => {
        const create = ["template", "create", "mould", "mould-whole", "--keep-identity"];
        const { template, problems } = await nest.data(create);
        assert.deepEqual([template.keptIdentity, problems], [true, []]);
        const kept = secrets.filter((secret) => secret !== "SECRET-DELETED");
        assert.deepEqual(await found(nest, "mould-whole", kept), kept);
        await nest.ok(["template", "verify", "mould-whole"]);
        await nest.ok(["template", "export", "mould-whole", nest.at("whole.tar")]);
        await nest.ok(["template", "import", nest.at("whole.tar"), "--name", "mould-again"]);
        const { digest } = await nest.data(["template", "verify", "mould-again"]);
        assert.equal(digest, template.digest);
      },
    );

    await t.step("of a stopped VM it is as clean, and the VM stays stopped", async () => {
      await nest.ok(["stop", "mould"]);
      const { problems } = await nest.data(["template", "create", "mould", "mould-stopped"]);
      assert.deepEqual(problems, []);
      assert.equal((await nest.data(["info", "mould"])).state, "stopped");
      assert.deepEqual(await found(nest, "mould-stopped", [...secrets, "KEPT"]), ["KEPT"]);
    });
  } finally {
    await nest.run(["delete", "--force", "mould-one", "mould-two"]);
    for (const name of templates) await nest.run(["template", "delete", name]);
  }
});

/** Which of some texts are anywhere on a template's disk, used or not. */
async function found(nest: Nest, template: string, texts: string[]): Promise<string[]> {
  const { diskPath } = await nest.data(["template", "info", template]);
  const raw = nest.at(`${template}.raw`);
  await run("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", diskPath, raw]);
  const words = texts.flatMap((text) => ["-e", text]);
  const { stdout } = await run("grep", ["-a", "-o", "-F", ...words, raw], { accept: [0, 1] });
  await Deno.remove(raw);
  const there = new Set(new TextDecoder().decode(stdout).split("\n"));
  return texts.filter((text) => there.has(text));
}
