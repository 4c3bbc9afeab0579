import assert from "node:assert/strict";
import { chooseAccelerator, cpuModel } from "../../lib/qemu/accelerator.ts";
import { fakeHost } from "../helpers/fake_host.ts";

/** A QEMU that answers `--version`, notes each probe, and then does what it is told. */
const qemu = (probed: string) =>
  `if [ "$1" = --version ]; then echo "QEMU emulator version 9.1.0"; exit 0; fi
echo "$@" >> "$0.probes"; ${probed}`;

const probes = async (program: string) =>
  (await Deno.readTextFile(`${program}.probes`)).trim().split("\n");

Deno.test("a native accelerator that passes its probe is chosen, and asked once", async () => {
  await using host = await fakeHost();
  const program = await host.addProgram("qemu-system-x86_64", qemu("exit 67"));
  const choice = await chooseAccelerator(host.context, "x86_64", undefined, host);
  assert.deepEqual(choice, {
    name: "kvm",
    reason: "KVM ran a test program, so guests run at nearly full speed",
    rejected: [],
  });
  assert.deepEqual(await chooseAccelerator(host.context, "x86_64", "kvm", host), choice);
  const asked = await probes(program);
  assert.equal(asked.length, 1);
  assert.match(asked[0]!, /-accel kvm -cpu host -machine q35 -bios \S+\/probe\.bin/);

  await chooseAccelerator(host.context, "x86_64", undefined, { ...host, fresh: true });
  assert.equal((await probes(program)).length, 2);
});

Deno.test("another boot or another QEMU is probed again", async () => {
  await using host = await fakeHost();
  const program = await host.addProgram("qemu-system-x86_64", qemu("exit 67"));
  await chooseAccelerator(host.context, "x86_64", undefined, host);

  const later = { ...host.context, now: () => new Date(Date.now() + 120_000) };
  await chooseAccelerator(later, "x86_64", undefined, host);
  assert.equal((await probes(program)).length, 2);

  await host.addProgram("qemu-system-x86_64", qemu("echo changed >&2; exit 3"));
  const choice = await chooseAccelerator(later, "x86_64", undefined, host);
  assert.deepEqual(choice.rejected, [{ name: "kvm", reason: "QEMU failed with it: changed" }]);
});

const FAILURES: {
  os: "linux" | "darwin" | "windows";
  said: string;
  reason: string;
  fix?: string;
}[] = [
  {
    os: "linux",
    said: "Could not access KVM kernel module: No such file or directory",
    reason: "/dev/kvm does not exist",
    fix: "sudo modprobe kvm_intel || sudo modprobe kvm_amd",
  },
  {
    os: "linux",
    said: "Could not access KVM kernel module: Permission denied",
    reason: "this user may not open /dev/kvm",
    fix: "sudo usermod -aG kvm $USER && newgrp kvm",
  },
  {
    os: "linux",
    said: "qemu-system-x86_64: error: failed to set MSR 0x10a to 0x69",
    reason: "QEMU failed with it: failed to set MSR 0x10a to 0x69",
  },
  {
    os: "darwin",
    said: "qemu-system-x86_64: -accel hvf: invalid accelerator hvf",
    reason: "this QEMU was built without it",
  },
];

for (const { os, said, reason, fix } of FAILURES) {
  Deno.test(`${os}: "${said}" is told as "${reason}"`, async () => {
    await using host = await fakeHost({ os });
    const name = os === "linux" ? "kvm" : "hvf";
    await host.addProgram("qemu-system-x86_64", qemu(`echo '${said}' >&2; exit 1`));
    assert.deepEqual(await chooseAccelerator(host.context, "x86_64", undefined, host), {
      name: "tcg",
      reason:
        `guests are emulated and slow, because ${name.toUpperCase()} cannot be used: ${reason}`,
      rejected: [{ name, reason, ...(fix ? { fix } : {}) }],
    });
    await assert.rejects(chooseAccelerator(host.context, "x86_64", name, host), {
      code: "host_missing",
      message: `Cannot run x86_64 guests with ${name}: ${reason}`,
      hint: fix ?? "nido doctor",
    });
  });
}

Deno.test("a rejection that a person can fix is probed again", async () => {
  await using host = await fakeHost();
  const denied = "echo 'Could not access KVM kernel module: Permission denied' >&2; exit 1";
  const program = await host.addProgram("qemu-system-x86_64", qemu(denied));
  await chooseAccelerator(host.context, "x86_64", undefined, host);
  await chooseAccelerator(host.context, "x86_64", undefined, host);
  assert.equal((await probes(program)).length, 2);
});

Deno.test("a probe that ends with a wrong result is a rejection", async () => {
  await using host = await fakeHost();
  await host.addProgram("qemu-system-x86_64", qemu("exit 35"));
  const { rejected } = await chooseAccelerator(host.context, "x86_64", undefined, host);
  assert.deepEqual(rejected, [{ name: "kvm", reason: "QEMU failed with it: exit code 35" }]);
});

Deno.test("a guest of another architecture is emulated without a probe", async () => {
  await using host = await fakeHost();
  const reason = "the guest is aarch64 and this host is x86_64";
  assert.deepEqual(await chooseAccelerator(host.context, "aarch64", undefined, host), {
    name: "tcg",
    reason: `guests are emulated and slow, because ${reason}`,
    rejected: [{ name: "kvm", reason }],
  });
  await assert.rejects(chooseAccelerator(host.context, "aarch64", "kvm", host), {
    code: "host_missing",
    message: `Cannot run aarch64 guests with kvm: ${reason}`,
  });
});

Deno.test("an accelerator of another system is refused", async () => {
  await using host = await fakeHost();
  await host.addProgram("qemu-system-x86_64", qemu("exit 67"));
  await assert.rejects(chooseAccelerator(host.context, "x86_64", "hvf", host), {
    code: "host_missing",
    message: "Cannot run x86_64 guests with hvf: it does not exist on linux",
  });
});

Deno.test("TCG can be asked for, and needs no probe", async () => {
  await using host = await fakeHost();
  assert.deepEqual(await chooseAccelerator(host.context, "x86_64", "tcg", host), {
    name: "tcg",
    reason: "TCG was asked for",
    rejected: [],
  });
});

Deno.test("each accelerator has its processor model", () => {
  assert.deepEqual(
    (["kvm", "hvf", "whpx", "tcg"] as const).map((name) => cpuModel(name, "x86_64")),
    ["host", "host", "Westmere", "max"],
  );
});
