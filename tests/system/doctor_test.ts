import assert from "node:assert/strict";
import { join } from "node:path";
import { tryLockFile } from "../../lib/store/lock.ts";
import { runFolder } from "../../lib/store/run_folder.ts";
import type { Check, Finding } from "../../lib/system/checks/check.ts";
import { home, staging } from "../../lib/system/checks/home.ts";
import { incubators } from "../../lib/system/checks/incubators.ts";
import { disks, images } from "../../lib/system/checks/images.ts";
import {
  accelerator,
  firmware,
  processTools,
  qemu,
  qemuImg,
  ssh,
} from "../../lib/system/checks/programs.ts";
import { diskFinding, memoryFinding } from "../../lib/system/checks/resources.ts";
import { orphans, sockets, vms } from "../../lib/system/checks/vms.ts";
import doctorOperation, { checks, examine } from "../../lib/system/doctor.ts";
import { type FakeHost, fakeHost } from "../helpers/fake_host.ts";

const look = (check: Check, { context, platform }: FakeHost, fix = false) =>
  check.run({ context, platform, fix });

const stateOf = (findings: Finding[]) => findings.map(({ name, state }) => `${name} ${state}`);

Deno.test("a bare host is told every command that it needs", async () => {
  await using host = await fakeHost();
  await host.addProgram("apt-get", "exit 9");
  const bare = [qemu, qemuImg, firmware, accelerator, ssh, processTools];
  const { ok, findings } = await examine({ ...host, fix: false }, bare);
  assert.equal(ok, false);
  const needs = "Nido needs it to know and end its own processes";
  assert.deepEqual(findings.map(({ state, message, fix }) => [state, message, fix]), [
    [
      "blocked",
      "QEMU for x86_64 guests is not installed: qemu-system-x86_64 is not on PATH",
      "sudo apt-get install -y qemu-system-x86 qemu-utils",
    ],
    [
      "blocked",
      "QEMU's disk tool is not installed: qemu-img is not on PATH",
      "sudo apt-get install -y qemu-utils",
    ],
    [
      "warning",
      "UEFI firmware for x86_64 guests is not installed",
      "sudo apt-get install -y ovmf",
    ],
    [
      "warning",
      "ssh is not on PATH; only nido ssh needs it",
      "sudo apt-get install -y openssh-client",
    ],
    ["blocked", `ps is not on PATH; ${needs}`, "sudo apt-get install -y procps"],
    ["blocked", `kill is not on PATH; ${needs}`, "sudo apt-get install -y procps"],
  ]);
});

Deno.test("an arm64 host can't do without its firmware", async () => {
  await using host = await fakeHost({ arch: "aarch64" });
  assert.deepEqual(stateOf(await look(firmware, host)), ["firmware blocked"]);
});

Deno.test("QEMU of another architecture is looked at only where it is installed", async () => {
  await using host = await fakeHost();
  await host.addProgram("qemu-system-x86_64", "echo QEMU emulator version 9.0.0");
  assert.deepEqual(stateOf(await look(qemu, host)), ["qemu ok"]);
  await host.addProgram("qemu-system-aarch64", "echo QEMU emulator version 6.2.0");
  const findings = await look(qemu, host);
  assert.deepEqual(stateOf(findings), ["qemu ok", "qemu warning"]);
  assert.equal(findings[1]!.message, "QEMU 6.2.0 is too old: Nido needs 7.2 or newer");
});

Deno.test("the accelerator is probed anew and its fix is passed on", async () => {
  await using host = await fakeHost();
  const denied = "echo 'Could not access KVM kernel module: Permission denied' >&2; exit 1";
  const asked = 'if [ "$1" = --version ]; then echo "QEMU emulator version 9.0.0"; exit; fi';
  await host.addProgram("qemu-system-x86_64", `${asked}; ${denied}`);
  assert.deepEqual(await look(accelerator, host), [{
    name: "accelerator",
    state: "warning",
    message: "TCG runs x86_64 guests: guests are emulated and slow, because KVM cannot be used: " +
      "this user may not open /dev/kvm",
    fix: "sudo usermod -aG kvm $USER && newgrp kvm",
  }]);
  await host.addProgram("qemu-system-x86_64", `${asked}; exit 67`);
  assert.deepEqual(stateOf(await look(accelerator, host)), ["accelerator ok"]);
});

Deno.test("little disk space warns, very little blocks", () => {
  const gib = 1024 ** 3;
  assert.equal(diskFinding("/h", 5 * gib).state, "ok");
  assert.equal(diskFinding("/h", 5 * gib - 1).state, "warning");
  assert.equal(diskFinding("/h", 200 * 1024 ** 2).state, "warning");
  assert.deepEqual(diskFinding("/h", 199 * 1024 ** 2), {
    name: "disk",
    state: "blocked",
    message: "199 MiB of disk space are free for /h",
    fix: "nido prune",
  });
});

Deno.test("little memory warns", () => {
  assert.equal(memoryFinding({ totalMib: 4096, availableMib: 1024 }).state, "ok");
  assert.deepEqual(memoryFinding({ totalMib: 4096, availableMib: 512 }), {
    name: "memory",
    state: "warning",
    message: "512 MiB of 4 GiB of memory are available",
    fix: "nido list --state running",
  });
});

Deno.test("a home open to others warns, and --fix closes it", async () => {
  await using host = await fakeHost();
  const path = host.context.home;
  await Deno.chmod(path, 0o755);
  assert.deepEqual(await look(home, host), [{
    name: "home",
    state: "warning",
    message: `The home ${path} is open to other users: its mode is 0755`,
    fix: `chmod 0700 '${path}'`,
  }]);
  assert.deepEqual(await look(home, host, true), [{
    name: "home",
    state: "ok",
    message: `The home ${path} is private again`,
    fixed: true,
  }]);
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o700);
});

Deno.test("a home that can't be made blocks", async () => {
  await using host = await fakeHost();
  const file = await host.addProgram("file", "");
  const [finding] = await home.run({
    ...host,
    context: { ...host.context, home: join(file, "home") },
    fix: false,
  });
  assert.equal(finding!.state, "blocked");
  assert.match(finding!.message, /^Cannot use the home /);
});

Deno.test("staging of a dead maker is told, and --fix sweeps it", async () => {
  await using host = await fakeHost();
  const left = join(host.context.home, "staging", "left");
  await Deno.mkdir(left);
  const [told] = await look(staging, host);
  assert.equal(told!.message, "Found 1 half-built thing of commands that died");
  assert.ok((await Deno.stat(left)).isDirectory);
  const [swept] = await look(staging, host, true);
  assert.deepEqual([swept!.message, swept!.fixed], ["Swept 1 half-built thing", true]);
  assert.deepEqual(stateOf(await look(staging, host)), ["staging ok"]);
});

Deno.test("sockets of no VM are told, and --fix removes them", async () => {
  await using host = await fakeHost();
  const stale = join(host.context.home, "run", "deadbeef");
  await Deno.mkdir(stale);
  const [told] = await look(sockets, host);
  assert.deepEqual(told, {
    name: "sockets",
    state: "warning",
    message: `Sockets of VMs that are gone are left over: ${stale}`,
    fix: "nido doctor --fix",
  });
  assert.deepEqual(stateOf(await look(sockets, host, true)), ["sockets ok"]);
  await assert.rejects(Deno.stat(stale), Deno.errors.NotFound);
});

Deno.test("an incubator of a command that died is told, and --fix sweeps it; a used one is let be", async () => {
  await using host = await fakeHost();
  const folder = join(host.context.home, "incubators", "deadbeef");
  await Deno.mkdir(folder, { recursive: true });
  {
    using _used = await tryLockFile(`${folder}.lock`, "incubate");
    assert.deepEqual(stateOf(await look(incubators, host, true)), ["incubators ok"]);
    assert.ok((await Deno.stat(folder)).isDirectory);
  }
  assert.deepEqual(await look(incubators, host), [{
    name: "incubators",
    state: "warning",
    message: "1 incubator of a command that died may still run: the next spawn sweeps it",
    fix: "nido doctor --fix",
  }]);
  const [swept] = await look(incubators, host, true);
  assert.deepEqual([swept!.message, swept!.fixed], ["Swept 1 incubator", true]);
  await assert.rejects(Deno.stat(folder), Deno.errors.NotFound);
  assert.deepEqual(stateOf(await look(incubators, host)), ["incubators ok"]);
});

Deno.test("a broken VM's sockets are its own still", async () => {
  await using host = await fakeHost();
  const folder = await runFolder(host.context.home, { name: "odd" });
  await Deno.mkdir(folder);
  await Deno.mkdir(join(host.context.home, "vms", "odd"));
  assert.deepEqual(stateOf(await look(sockets, host, true)), ["sockets ok"]);
  assert.ok((await Deno.stat(folder)).isDirectory);
});

Deno.test("a broken VM and a broken image are told with the command to remove them", async () => {
  await using host = await fakeHost();
  await Deno.mkdir(join(host.context.home, "vms", "odd"));
  await Deno.writeTextFile(join(host.context.home, "images", "torn.json"), "{");
  const [vm] = await look(vms, host);
  assert.deepEqual([vm!.message, vm!.fix], [
    'VM "odd" is broken: its vm.json is missing',
    "nido delete odd",
  ]);
  const [image] = await look(images, host);
  assert.match(image!.message, /^Image "torn" is broken: /);
  assert.equal(image!.fix, "nido image remove torn");
});

Deno.test("a disk that nothing uses is told, and --fix removes it", async () => {
  await using host = await fakeHost();
  const folder = join(host.context.home, "disks", `sha256-${"0".repeat(64)}`);
  await Deno.mkdir(folder);
  const [told] = await look(disks, host);
  assert.equal(told!.message, "Nothing uses 1 stored disk");
  const [gone] = await look(disks, host, true);
  assert.equal(gone!.fixed, true);
  await assert.rejects(Deno.stat(folder), Deno.errors.NotFound);
});

Deno.test("a QEMU whose VM is gone is an orphan; those of others are not", async () => {
  await using host = await fakeHost();
  const program = join(host.platform.programFolders[0]!, "qemu-system-x86_64");
  await Deno.copyFile("/bin/sh", program); // a script would show as its interpreter in ps
  const vmFolder = (home: string, name: string) => join(home, "vms", name);
  const start = (folder: string) =>
    new Deno.Command(program, {
      args: ["-c", "read line; :", "-pidfile", join(folder, "qemu.pid"), "-nodefaults"],
      stdin: "piped",
    }).spawn();
  const known = vmFolder(host.context.home, "known");
  await Deno.mkdir(known);
  const ours = start(vmFolder(host.context.home, "gone"));
  const others = [start(vmFolder("/elsewhere", "gone")), start(known)];
  await Deno.writeTextFile(join(known, "qemu.pid"), `${others[1]!.pid}\n`);
  try {
    assert.deepEqual(await look(orphans, host), [{
      name: "orphans",
      state: "warning",
      message: `QEMU process ${ours.pid} belongs to no VM any more`,
      fix: `kill ${ours.pid}`,
    }]);
  } finally {
    for (const child of [ours, ...others]) {
      await child.stdin.close();
      await child.status;
    }
  }
});

Deno.test("a check that fails is a warning and hides no other", async () => {
  await using host = await fakeHost();
  const list: Check[] = [
    { name: "odd", run: () => Promise.reject(new Error("no way to know")) },
    { name: "fine", run: () => Promise.resolve([{ name: "fine", state: "ok", message: "Fine" }]) },
  ];
  assert.deepEqual(await examine({ ...host, fix: false }, list), {
    ok: true,
    findings: [
      { name: "odd", state: "warning", message: "This could not be looked at: no way to know" },
      { name: "fine", state: "ok", message: "Fine" },
    ],
  });
});

Deno.test("doctor's exit status and text say whether something blocks", async () => {
  await using host = await fakeHost();
  const findings = [
    { name: "qemu", state: "blocked", message: "QEMU is missing", fix: "apt-get install qemu" },
    { name: "home", state: "ok", message: "Closed", fixed: true },
  ];
  assert.equal(
    doctorOperation.text!({ ok: false, findings }, host.context),
    `blocked  qemu  QEMU is missing
               apt-get install qemu
fixed    home  Closed

The nest is not ready: put right what is blocked.`,
  );
  assert.equal(doctorOperation.exitStatus!({ ok: false, findings }), 1);
  assert.equal(doctorOperation.exitStatus!({ ok: true, findings: [] }), 0);
});

Deno.test("every check has a name of its own", () => {
  const names = checks.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
});
