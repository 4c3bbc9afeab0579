import assert from "node:assert/strict";
import { installCommand, packageManager } from "../../lib/host/packages.ts";
import { hostMemory, thisPlatform } from "../../lib/host/platform.ts";
import { fakeHost } from "../helpers/fake_host.ts";

const COMMANDS = [
  ["apt-get", "linux", "sudo apt-get install -y qemu-system-x86 qemu-utils ovmf"],
  ["dnf", "linux", "sudo dnf install -y qemu-system-x86 qemu-img edk2-ovmf"],
  [
    "pacman",
    "linux",
    "sudo pacman -S --needed --noconfirm qemu-system-x86 qemu-img edk2-ovmf",
  ],
  ["zypper", "linux", "sudo zypper --non-interactive install qemu-x86 qemu-tools qemu-ovmf-x86_64"],
  ["apk", "linux", "sudo apk add qemu-system-x86_64 qemu-img ovmf"],
  ["brew", "darwin", "brew install qemu"],
] as const;

for (const [program, os, command] of COMMANDS) {
  Deno.test(`${program} installs QEMU and its firmware`, async () => {
    await using host = await fakeHost({ os });
    await host.addProgram(program, "exit 9");
    assert.equal(await installCommand(host.platform, ["qemu-x86_64", "firmware-x86_64"]), command);
  });
}

Deno.test("root needs no sudo", async () => {
  await using host = await fakeHost({ superuser: true });
  await host.addProgram("apt-get", "exit 9");
  assert.equal(await installCommand(host.platform, ["ssh"]), "apt-get install -y openssh-client");
});

Deno.test("a package manager of another system is not taken", async () => {
  await using host = await fakeHost({ os: "darwin" });
  await host.addProgram("apt-get", "exit 9");
  assert.equal(await packageManager(host.platform), undefined);
});

Deno.test("without a known package manager the need itself is named", async () => {
  await using host = await fakeHost();
  assert.equal(await installCommand(host.platform, ["ssh"]), "Install the OpenSSH client");
});

Deno.test("this host has program folders and memory", () => {
  assert.ok(thisPlatform().programFolders.length > 0);
  const memory = hostMemory();
  assert.ok(memory.totalMib >= memory.availableMib && memory.availableMib > 0);
});
