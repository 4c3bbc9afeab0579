import assert from "node:assert/strict";
import { join } from "node:path";
import { NidoError } from "../../lib/errors.ts";
import { findQemu, findQemuImg } from "../../lib/qemu/installation.ts";
import { fakeHost } from "../helpers/fake_host.ts";

async function buildOf(path: string): Promise<string> {
  const { size, mtime } = await Deno.stat(path);
  return `${path} ${size} ${mtime!.toISOString()}`;
}

const says = (version: string) =>
  `echo asked >> "$0.log"; echo "QEMU emulator version ${version} (Debian 1:x)"; echo Copyright`;

Deno.test("findQemu tells the program and its version", async () => {
  await using host = await fakeHost();
  const program = await host.addProgram("qemu-system-x86_64", says("7.2.22"));
  assert.deepEqual(await findQemu(host.context, "x86_64", host.platform), {
    program,
    version: "7.2.22",
    major: 7,
    minor: 2,
    build: await buildOf(program),
  });
});

Deno.test("findQemu asks a binary once, and again when it changed", async () => {
  await using host = await fakeHost();
  const program = await host.addProgram("qemu-system-x86_64", says("7.2.22"));
  await findQemu(host.context, "x86_64", host.platform);
  await findQemu(host.context, "x86_64", host.platform);
  assert.equal(await Deno.readTextFile(`${program}.log`), "asked\n");

  await host.addProgram("qemu-system-x86_64", says("10.0.0") + "; true");
  const found = await findQemu(host.context, "x86_64", host.platform);
  assert.deepEqual([found.major, found.minor], [10, 0]);
});

Deno.test("findQemu measures again when its cache is damaged", async () => {
  await using host = await fakeHost();
  await host.addProgram("qemu-system-aarch64", says("8.2.1"));
  await Deno.writeTextFile(join(host.context.home, "facts", "qemu-aarch64.json"), "{");
  assert.equal((await findQemu(host.context, "aarch64", host.platform)).version, "8.2.1");
});

Deno.test("an absent QEMU is host_missing with the command that installs it", async () => {
  await using host = await fakeHost();
  await host.addProgram("dnf", "exit 9");
  await assert.rejects(
    findQemu(host.context, "aarch64", host.platform),
    new NidoError(
      "host_missing",
      "QEMU for aarch64 guests is not installed: qemu-system-aarch64 is not on PATH",
      { hint: "sudo dnf install -y qemu-system-aarch64 qemu-img" },
    ),
  );
});

Deno.test("a QEMU older than 7.2 is refused, also from the cache", async () => {
  await using host = await fakeHost({ superuser: true });
  await host.addProgram("apt-get", "exit 9");
  for (const version of ["6.0.0", "7.1.9"]) {
    const program = await host.addProgram("qemu-system-x86_64", says(version));
    for (const _ of ["asked", "cached"]) {
      await assert.rejects(
        findQemu(host.context, "x86_64", host.platform),
        new NidoError(
          "host_missing",
          `QEMU ${version} is too old: Nido needs 7.2 or newer`,
          {
            hint: "apt-get install -y qemu-system-x86 qemu-utils",
            details: { program, version },
          },
        ),
      );
    }
  }
});

Deno.test("a QEMU that doesn't tell its version is tool_failed", async () => {
  await using host = await fakeHost();
  const program = await host.addProgram("qemu-system-x86_64", "echo hello");
  await assert.rejects(findQemu(host.context, "x86_64", host.platform), {
    code: "tool_failed",
    message: `Cannot tell QEMU's version: ${program} printed "hello"`,
  });
});

Deno.test("a file that isn't executable isn't QEMU", async () => {
  await using host = await fakeHost();
  await Deno.chmod(await host.addProgram("qemu-system-x86_64", says("9.0.0")), 0o644);
  await assert.rejects(findQemu(host.context, "x86_64", host.platform), { code: "host_missing" });
});

Deno.test("qemu-img is found, or missed with the command that installs it", async () => {
  await using host = await fakeHost();
  await host.addProgram("pacman", "exit 9");
  await assert.rejects(
    findQemuImg(host.context, host.platform),
    new NidoError(
      "host_missing",
      "QEMU's disk tool is not installed: qemu-img is not on PATH",
      { hint: "sudo pacman -S --needed --noconfirm qemu-img" },
    ),
  );
  const program = await host.addProgram("qemu-img", "exit 0");
  assert.equal(await findQemuImg(host.context, host.platform), program);
});
