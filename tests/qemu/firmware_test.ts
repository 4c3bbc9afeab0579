import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { findFirmware, requireFirmware } from "../../lib/qemu/firmware.ts";
import { type FakeHost, fakeHost } from "../helpers/fake_host.ts";

const share = (host: FakeHost) => join(dirname(host.platform.programFolders[0]!), "share");

async function addFile(host: FakeHost, name: string, sizeBytes: number): Promise<string> {
  const path = join(share(host), name);
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, "");
  await Deno.truncate(path, sizeBytes);
  return path;
}

async function addDescriptor(host: FakeHost, name: string, parts: {
  code: string;
  vars: string;
  arch?: string;
  features?: string[];
  format?: string;
}): Promise<void> {
  const path = await addFile(host, join("qemu/firmware", name), 0);
  const arch = parts.arch ?? "x86_64";
  await Deno.writeTextFile(
    path,
    JSON.stringify({
      "interface-types": ["uefi"],
      mapping: {
        device: "flash",
        executable: { filename: parts.code, format: parts.format ?? "raw" },
        "nvram-template": { filename: parts.vars, format: parts.format ?? "raw" },
      },
      targets: [{
        architecture: arch,
        machines: [arch === "x86_64" ? "pc-q35-*" : "virt-*"],
      }],
      features: parts.features ?? [],
    }),
  );
}

Deno.test("a descriptor is believed before a known path", async () => {
  await using host = await fakeHost();
  await addFile(host, "OVMF/OVMF_CODE_4M.fd", 10);
  await addFile(host, "OVMF/OVMF_VARS_4M.fd", 10);
  const code = await addFile(host, "elsewhere/code.fd", 10);
  const vars = await addFile(host, "elsewhere/vars.fd", 10);
  await addDescriptor(host, "60-x.json", { code, vars });
  const found = await findFirmware(host.context, "x86_64", host.platform);
  assert.deepEqual(found, { code, vars, format: "raw" });
});

Deno.test("descriptors that don't fit are passed over", async () => {
  await using host = await fakeHost();
  const bad = await addFile(host, "bad.fd", 10);
  const code = await addFile(host, "code.fd", 10);
  const vars = await addFile(host, "vars.fd", 10);
  await addDescriptor(host, "10.json", { code: bad, vars, features: ["secure-boot"] });
  await addDescriptor(host, "20.json", { code: bad, vars, format: "qcow2" });
  await addDescriptor(host, "30.json", { code: bad, vars, arch: "aarch64" });
  await addDescriptor(host, "40.json", { code: "/nowhere/code.fd", vars });
  await Deno.writeTextFile(await addFile(host, "qemu/firmware/45.json", 0), "{");
  await addDescriptor(host, "50.json", { code, vars });
  assert.equal((await findFirmware(host.context, "x86_64", host.platform))?.code, code);
});

Deno.test("arm64 firmware must fill its flash device", async () => {
  await using host = await fakeHost();
  await addFile(host, "AAVMF/AAVMF_CODE.fd", 2 * 1024 ** 2);
  await addFile(host, "AAVMF/AAVMF_VARS.fd", 64 * 1024 ** 2);
  assert.equal(await findFirmware(host.context, "aarch64", host.platform), undefined);
  const code = await addFile(host, "qemu/edk2-aarch64-code.fd", 64 * 1024 ** 2);
  const vars = await addFile(host, "qemu/edk2-arm-vars.fd", 64 * 1024 ** 2);
  const found = await findFirmware(host.context, "aarch64", host.platform);
  assert.deepEqual(found, { code, vars, format: "raw" });
});

Deno.test("code without its variables is not firmware", async () => {
  await using host = await fakeHost();
  await addFile(host, "OVMF/OVMF_CODE_4M.fd", 10);
  assert.equal(await findFirmware(host.context, "x86_64", host.platform), undefined);
});

Deno.test("absent firmware is host_missing with the command that installs it", async () => {
  await using host = await fakeHost();
  await host.addProgram("apt-get", "exit 9");
  await assert.rejects(requireFirmware(host.context, "aarch64", host.platform), {
    code: "host_missing",
    message: "UEFI firmware for aarch64 guests is not installed",
    hint: "sudo apt-get install -y qemu-efi-aarch64",
  });
});
