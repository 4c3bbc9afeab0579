import assert from "node:assert/strict";
import { run } from "../../lib/host/process.ts";
import { findProgram } from "../../lib/host/program.ts";
import { type Arch, thisPlatform } from "../../lib/host/platform.ts";
import { probe } from "../../lib/qemu/probe/probe.ts";
import { x86ProbeRom } from "../../lib/qemu/probe/x86_rom.ts";
import { namesIn } from "../../lib/store/record.ts";
import { files } from "../../lib/store/files.ts";
import { fakeHost } from "../helpers/fake_host.ts";

const found = async (arch: Arch) => await findProgram(thisPlatform(), `qemu-system-${arch}`);

for (const arch of ["x86_64", "aarch64"] as const) {
  const qemu = await found(arch);
  Deno.test({
    name: `the ${arch} probe succeeds under TCG and leaves nothing behind`,
    ignore: !qemu,
    async fn() {
      await using host = await fakeHost();
      const result = await probe(host.context, qemu!.path, arch, "tcg", 60_000);
      assert.deepEqual(result, { works: true });
      assert.deepEqual(await namesIn(files.staging(host.context.home)), []);
    },
  });
}

const x86 = await found("x86_64");

Deno.test({
  name: "the x86_64 probe notices page faults that are not delivered",
  ignore: !x86,
  async fn() {
    const rom = x86ProbeRom();
    const faultCounter = 0xfc00 + 0x138;
    assert.equal(rom[faultCounter], 0);
    rom[faultCounter] = 1;
    const file = await Deno.makeTempFile({ suffix: ".rom" });
    await Deno.writeFile(file, rom);
    try {
      const args = ["-nodefaults", "-display", "none", "-m", "64", "-accel", "tcg", "-bios", file];
      const debugExit = ["-device", "isa-debug-exit,iobase=0xf4"];
      const { code } = await run(x86!.path, [...args, ...debugExit], {
        accept: [35, 67],
        timeoutMs: 20_000,
      });
      assert.equal(code, 35);
    } finally {
      await Deno.remove(file);
    }
  },
});

Deno.test(
  { name: "KVM of this host works, or is rejected with a reason", ignore: !x86 },
  async () => {
    await using host = await fakeHost();
    const result = await probe(host.context, x86!.path, "x86_64", "kvm");
    console.log("    KVM here:", result.works ? "works" : result.reason);
    if (!result.works) assert.ok(result.reason.length > 0);
  },
);

Deno.test("an accelerator in which the test program never ends is rejected", async () => {
  await using host = await fakeHost();
  const stuck = await host.addProgram("qemu-system-x86_64", "exec sleep 60");
  assert.deepEqual(await probe(host.context, stuck, "x86_64", "kvm", 300), {
    works: false,
    reason: "a test program that enters 64-bit mode did not finish in it within 0.3 s",
  });
});
