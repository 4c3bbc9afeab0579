import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { join } from "node:path";
import { startReader } from "../helpers/reader.ts";
import { finish } from "../helpers/sshd.ts";

const ignore = Deno.build.os !== "linux";
const bytes = (text: string) => new TextEncoder().encode(text);

async function send(file: Deno.FsFile, text: string): Promise<void> {
  const all = bytes(text);
  for (let sent = 0; sent < all.length;) sent += await file.write(all.subarray(sent));
}

Deno.test({ name: "a reader answers whatever line it is given, and stays", ignore }, async () => {
  await using reader = await startReader();
  using host = await reader.host();
  const error = async (text: string) => {
    await send(host, text);
    return (await reader.answer()).error;
  };
  assert.equal(await error("\n\nnot json\n"), "the line is not JSON: " + NOT_JSON);
  assert.equal(await error("[1]\n"), "the line is not a JSON object");
  assert.equal(await error(`{"identity": 7}\n`), "TypeError: 'int' object is not subscriptable");
  assert.equal(
    await error(`{"at": "${"1".repeat(5 << 20)}\n`),
    "the line is longer than 4194304 bytes",
  );
  await send(host, `{"at": 1.5, "colour": "red"}\n{"entropy": "AAAA"}\n`);
  const { renewed, problems, told } = await reader.answer();
  assert.deepEqual({ renewed, problems, told }, {
    renewed: true,
    problems: ["Cannot renew colour: this guest knows no such part"],
    told: [["set_clock", 1.5]],
  });
  assert.deepEqual((await reader.answer()).told, [["add_entropy", "AAAA"]]);
});

const NOT_JSON = "Expecting value: line 1 column 1 (char 0)";

Deno.test(
  { name: "a host that leaves in the middle of a line leaves nothing", ignore },
  async () => {
    await using reader = await startReader();
    {
      using host = await reader.host();
      await send(host, `{"at": 1, "ent`);
    }
    // Nothing tells when the reader has seen the other leave; a new host's mark makes that no matter.
    using host = await reader.host();
    await send(host, `{"cut\x1e{"at": 2}\n`);
    assert.deepEqual((await reader.answer()).told, [["set_clock", 2]]);
    await send(host, `${"x".repeat(5 << 20)}\x1e{"at": 3`);
    await send(host, "}\n");
    assert.deepEqual((await reader.answer()).told, [["set_clock", 3]]);
  },
);

Deno.test({ name: "a reader that nobody talks to does not spin", ignore }, async () => {
  await using reader = await startReader();
  const ticks = async () => {
    const stat = (await Deno.readTextFile(`/proc/${reader.pid}/stat`)).split(") ")[1]!.split(" ");
    return Number(stat[11]) + Number(stat[12]);
  };
  await reader.ask({ at: 1 });
  const before = await ticks();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.ok(await ticks() - before < 5);
  assert.deepEqual((await reader.ask({ at: 2 })).told, [["set_clock", 2]]);
});

const OLD = "f7660cce-fa39-4c0e-8afa-af80b6133231";
const { uid, gid } = userInfo();
const guest = {
  "etc/ssh/ssh_host_rsa_key": "old",
  "etc/ssh/ssh_host_rsa_key.pub": "old",
  "etc/ssh/ssh_host_ed25519_key": "old",
  "etc/ssh/ssh_host_ed25519_key-cert.pub": "old",
  "etc/ssh/sshd_config": "kept",
  "etc/hostname": "old\n",
  "etc/hosts": "127.0.0.1 localhost\n127.0.1.1\told.lan old older\n10.0.0.1 old\n::1 localhost\n",
  "etc/machine-id": `${"a".repeat(32)}\n`,
  "etc/passwd": `root:x:0:0::/root:/bin/sh\nnido:x:${uid}:${gid}::/home/nido:/bin/bash\n`,
  "home/nido/.ssh/authorized_keys": "somebody else's\n",
  "proc/net/route": "Iface\tDestination\nlo\t0000007F\n",
  "sys/class/net/ens3/ifindex": "2\n",
  "sys/class/net/lo/ifindex": "1\n",
  "run/systemd/netif/leases/2": "",
  "run/cloud-init/.instance-id": `${OLD}\n`,
  "run/cloud-init/result.json": "{}",
  "run/cloud-init/status.json": "{}",
  "run/cloud-init/instance-data.json": `{"id": "${OLD}", "other": "${OLD}x"}`,
  [`var/lib/cloud/instances/${OLD}/sem/config_runcmd`]: "done",
  [`var/lib/cloud/instances/${OLD}/obj.pkl`]: "a pickle",
  [`var/lib/cloud/instances/${OLD}/cloud-config.txt`]: "hostname: old",
  "var/lib/cloud/instance": `-> /var/lib/cloud/instances/${OLD}`,
  "var/lib/cloud/data/instance-id": `${OLD}\n`,
  "var/lib/cloud/data/previous-instance-id": "NO_PREVIOUS_INSTANCE_ID\n",
  "var/lib/cloud/data/previous-hostname": "old\n",
  "var/lib/dbus/machine-id": "old",
  [`var/log/journal/${"a".repeat(32)}/system.journal`]: "journal",
};
const identity = {
  hostname: "hatch",
  instanceId: "new-id",
  machineId: "b".repeat(32),
  hostKey: { private: "PRIVATE\n", public: "ssh-ed25519 PUBLIC" },
  user: "nido",
  authorizedKeys: ["ssh-ed25519 AAAA one", "ssh-ed25519 BBBB two"],
};

async function tree(root: string): Promise<string[]> {
  const found = await finish("find", [root, "-not", "-type", "d", "-printf", "%P\n"]);
  return found.trim().split("\n").sort();
}

Deno.test({ name: "a guest becomes another machine, on its disk too", ignore }, async () => {
  await using reader = await startReader(guest);
  const { problems, told, later } = await reader.ask({ at: 7, entropy: "AAAA", identity });
  assert.deepEqual(problems, []);
  assert.deepEqual(told, [["set_clock", 7], ["add_entropy", "AAAA"], ["sethostname", "hatch"]]);
  assert.deepEqual(later, [["nice", "-n", "19", "networkctl", "renew", "ens3"]]);

  const text = (path: string) => Deno.readTextFile(join(reader.root, path));
  const expected = {
    "etc/ssh/ssh_host_ed25519_key": "PRIVATE\n",
    "etc/ssh/ssh_host_ed25519_key.pub": "ssh-ed25519 PUBLIC\n",
    "etc/hostname": "hatch\n",
    "etc/hosts":
      "127.0.0.1 localhost\n127.0.1.1\thatch.lan hatch older\n10.0.0.1 old\n::1 localhost\n",
    "etc/machine-id": `${"b".repeat(32)}\n`,
    "var/lib/dbus/machine-id": `${"b".repeat(32)}\n`,
    "home/nido/.ssh/authorized_keys": "ssh-ed25519 AAAA one\nssh-ed25519 BBBB two\n",
    "run/cloud-init/.instance-id": "new-id\n",
    "run/cloud-init/instance-data.json": `{"id": "new-id", "other": "${OLD}x"}`,
    "var/lib/cloud/data/instance-id": "new-id\n",
    "var/lib/cloud/data/previous-instance-id": "new-id\n",
    "var/lib/cloud/data/previous-hostname": "hatch\n",
    "var/lib/cloud/instances/new-id/sem/config_runcmd": "done",
    [`var/log/journal/${"a".repeat(32)}/system.journal`]: "journal",
    [`var/log/journal/${"b".repeat(32)}/system.journal`]: "journal",
  };
  for (const [path, content] of Object.entries(expected)) {
    assert.equal(await text(path), content, path);
  }
  const link = await Deno.readLink(join(reader.root, "var/lib/cloud/instance"));
  assert.equal(link, "/var/lib/cloud/instances/new-id");
  const left = await tree(reader.root);
  const gone = left.filter((path) =>
    /rsa|-cert|obj\.pkl|cloud-config|\.nido$/.test(path) || path.includes(OLD)
  );
  assert.deepEqual(gone, []);
  assert.equal(await text("etc/ssh/sshd_config"), "kept");
  const modes = ["etc/ssh/ssh_host_ed25519_key", "home/nido/.ssh/authorized_keys"]
    .map(async (path) => ((await Deno.stat(join(reader.root, path))).mode! & 0o777).toString(8));
  assert.deepEqual(await Promise.all(modes), ["600", "600"]);
});

Deno.test({ name: "a renewal can be done again, by the same or another one", ignore }, async () => {
  await using reader = await startReader(guest);
  for (const hostname of ["one", "one", "two"]) {
    const request = { ...identity, hostname, instanceId: `i-${hostname}`, machineId: hostname };
    assert.deepEqual((await reader.ask({ identity: request })).problems, []);
  }
  assert.match(await Deno.readTextFile(join(reader.root, "etc/hosts")), /^127.0.1.1\ttwo.lan two/m);
  const left = await tree(reader.root);
  assert.ok(left.includes("var/lib/cloud/instances/i-two/sem/config_runcmd"));
  assert.ok(left.includes("var/log/journal/two/system.journal"));
  const first = join(reader.root, "var/log/journal", "a".repeat(32), "system.journal");
  assert.equal(await Deno.readTextFile(first), "journal");
});

Deno.test(
  { name: "a guest that its hosts file does not name is named there", ignore },
  async () => {
    for (const before of ["localhost\n", "", "gone\n"]) {
      await using reader = await startReader({ ...guest, "etc/hostname": before });
      assert.deepEqual((await reader.ask({ identity })).problems, []);
      const hosts = await Deno.readTextFile(join(reader.root, "etc/hosts"));
      assert.equal(hosts, `${guest["etc/hosts"]}127.0.1.1\thatch\n`);
    }
  },
);

Deno.test({ name: "a link of the guest's is replaced, not followed", ignore }, async () => {
  await using reader = await startReader({
    ...guest,
    "home/nido/.ssh/authorized_keys": "-> ../../../etc/passwd",
  });
  assert.deepEqual((await reader.ask({ identity })).problems, []);
  assert.equal(
    await Deno.readTextFile(join(reader.root, "etc/passwd")),
    guest["etc/passwd"],
  );
  const path = join(reader.root, "home/nido/.ssh/authorized_keys");
  assert.ok((await Deno.lstat(path)).isFile);
});

Deno.test({ name: "a part that fails stops no other", ignore }, async () => {
  const { "etc/passwd": _, "var/lib/cloud/data/instance-id": __, ...rest } = guest;
  await using reader = await startReader({
    ...rest,
    "etc/passwd": "root:x:0:0::/root:/bin/sh\n",
    "var/lib/cloud/data/instance-id": "another\n",
  });
  const { problems } = await reader.ask({ identity });
  assert.deepEqual(problems!.map((problem) => problem.replaceAll(reader.root, "")), [
    "Cannot change who may log in: there is no user nido",
    "Cannot rename cloud-init's instance: [Errno 2] No such file or directory: " +
    "'/var/lib/cloud/instances/another' -> '/var/lib/cloud/instances/new-id'",
  ]);
  assert.equal(await Deno.readTextFile(join(reader.root, "etc/hostname")), "hatch\n");
});

Deno.test({ name: "a guest without cloud-init or a lease is renewed too", ignore }, async () => {
  const bare = Object.entries(guest).filter(([path]) => !/cloud|netif|journal|dbus/.test(path));
  await using reader = await startReader(Object.fromEntries(bare));
  const { problems, later } = await reader.ask({ identity });
  assert.deepEqual({ problems, later }, { problems: [], later: [] });
});

Deno.test(
  { name: "user-data leaves the instance to cloud-init, which begins anew", ignore },
  async () => {
    await using reader = await startReader(guest);
    const { problems, told, later } = await reader.ask({ identity, userData: true });
    assert.deepEqual({ problems, told }, {
      problems: [],
      told: [["sethostname", "hatch"], ["flush_seed"]],
    });
    assert.deepEqual(later.at(-1), [
      "sh",
      "-c",
      "cloud-init init --local; cloud-init init; " +
      "cloud-init modules --mode=config; cloud-init modules --mode=final",
    ]);
    const left = await tree(reader.root);
    assert.deepEqual(left.filter((path) => path.startsWith("run/cloud-init")), [
      "run/cloud-init/instance-data.json",
    ]);
    assert.ok(left.includes(`var/lib/cloud/instances/${OLD}/sem/config_runcmd`));
  },
);

Deno.test({ name: "what a guest does besides is done when it is asked for", ignore }, async () => {
  await using reader = await startReader(guest);
  const { told } = await reader.ask({
    at: 1,
    entropy: "AAAA",
    cutConnections: true,
    growRoot: true,
  });
  assert.deepEqual(told, [["set_clock", 1], ["cut_connections"], ["add_entropy", "AAAA"], [
    "grow_root",
  ]]);
});

Deno.test(
  { name: "a guest is made ready: trimmed once for each disk, written, quiet", ignore },
  async () => {
    await using reader = await startReader({
      "proc/mounts": "/dev/vda2 / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\n" +
        "/dev/vda2 /bind ext4 rw 0 0\n/dev/vdb /mnt iso9660 ro 0 0\n/dev/vdc /data xfs rw 0 0\n",
      "proc/stat": "cpu  10 0 10 900 0 0 0 0 0 0\ncpu0 1\n",
    });
    const { quiet, problems, told } = await reader.ask({ prepare: true });
    assert.deepEqual({ quiet, problems, told }, {
      quiet: true,
      problems: [],
      told: [["trim", "/"], ["trim", "/data"], ["sync"]],
    });
  },
);
