import assert from "node:assert/strict";
import { installCommand, type Need } from "../../lib/host/packages.ts";
import { bareMachine } from "../helpers/bare_machine.ts";
import { fakeHost } from "../helpers/fake_host.ts";

const PARTS = ["say", "packages"];
const NEEDS: Record<string, Need> = {
  "qemu-system-x86_64": "qemu-x86_64",
  "qemu-system-aarch64": "qemu-aarch64",
  "qemu-img": "qemu-img",
  "firmware-x86_64": "firmware-x86_64",
  "firmware-aarch64": "firmware-aarch64",
  ssh: "ssh",
  ps: "ps",
  kill: "kill",
};

for (const manager of ["apt-get", "dnf", "pacman", "zypper", "apk", "brew"]) {
  Deno.test(`the scripts and Nido name the same packages for ${manager}`, async () => {
    await using machine = await bareMachine();
    await using host = await fakeHost({ os: manager === "brew" ? "darwin" : "linux" });
    await host.addProgram(manager, "exit 9");
    const ask = Object.keys(NEEDS).map((need) => `echo "$(package_of ${manager} ${need})"`);
    const [, said] = await machine.run(PARTS, ask.join("\n"));
    const named = said.split("\n");
    for (const [index, need] of Object.values(NEEDS).entries()) {
      const words = (await installCommand(host.platform, [need])).split(" ");
      const isNamed = words.includes(named[index]!);
      assert.ok(isNamed || (manager === "brew" && named[index] === ""), `${need}: ${named[index]}`);
    }
  });
}

const APT = `echo "$0 $*" | sed 's|.*/||' >> "$HOME/asked"`;

Deno.test("apt's index is fetched only when it lacks what is missing", async () => {
  for (const hasIndex of [true, false]) {
    await using machine = await bareMachine();
    await machine.addProgram("id", "echo 0");
    await machine.addProgram("apt-get", APT);
    await machine.addProgram("apt-cache", hasIndex ? "exit 0" : "exit 100");
    const said = await machine.run(PARTS, "install_needs sh qemu-img ssh");
    assert.deepEqual(said, [0, "Installing openssh-client qemu-utils\n"]);
    const asked = (await Deno.readTextFile(`${machine.home}/asked`))
      .replaceAll("-o DPkg::Lock::Timeout=300 ", "").trim().split("\n");
    const install = "apt-get install -y --no-install-recommends openssh-client qemu-utils";
    assert.deepEqual(asked, hasIndex ? [install] : ["apt-get update", install]);
  }
});

Deno.test("nothing is installed where nothing is missing", async () => {
  await using machine = await bareMachine();
  await machine.addProgram("apt-get", "exit 9");
  assert.deepEqual(await machine.run(PARTS, "install_needs sh sed"), [0, ""]);
});

Deno.test("a failed installation ends in one sentence after what the manager said", async () => {
  await using machine = await bareMachine();
  await machine.addProgram("id", "echo 0");
  await machine.addProgram("pacman", "echo 'no such mirror'; exit 1");
  assert.deepEqual(await machine.run(PARTS, "install_needs qemu-img"), [
    1,
    "Installing qemu-img\n  no such mirror\n" +
    'error: Cannot install qemu-img: "pacman -S --needed --noconfirm" failed\n',
  ]);
});

Deno.test("without root, sudo or doas the user is told what to run as root", async () => {
  await using machine = await bareMachine();
  await machine.addProgram("apt-get", "exit 9");
  assert.deepEqual(await machine.run(PARTS, "install_needs qemu-img ssh"), [
    1,
    "error: Cannot install openssh-client qemu-utils without root, and there is no sudo; " +
    "run as root: apt-get install -y --no-install-recommends openssh-client qemu-utils\n",
  ]);
});

Deno.test("sudo is asked once, and only where root is needed", async () => {
  for (const manager of ["pacman", "brew"]) {
    await using machine = await bareMachine();
    await machine.addProgram("sudo", '[ "$1" = -v ] || { echo "$@" >> "$HOME/asked"; "$@"; }');
    await machine.addProgram(manager, `echo "$@" >> "$HOME/asked"`);
    assert.deepEqual(await machine.run(PARTS, "install_needs qemu-img"), [
      0,
      `Installing ${manager === "brew" ? "qemu" : "qemu-img"}\n`,
    ]);
    const pacman = "-S --needed --noconfirm qemu-img\n";
    const asked = manager === "brew" ? "install qemu\n" : `pacman ${pacman}${pacman}`;
    assert.equal(await Deno.readTextFile(`${machine.home}/asked`), asked);
  }
});

Deno.test("a system without a known package manager is told so", async () => {
  await using machine = await bareMachine();
  assert.deepEqual(await machine.run(PARTS, "install_needs qemu-img ssh"), [
    1,
    "error: Cannot install qemu-img ssh: no package manager known here; install it by hand " +
    "(Windows: winget install --exact --id SoftwareFreedomConservancy.QEMU)\n",
  ]);
});
