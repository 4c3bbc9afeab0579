import assert from "node:assert/strict";
import { commandLine, type Machine } from "../../lib/qemu/command_line.ts";

const FOLDER = new URL("./command_lines/", import.meta.url);

const paths: Machine["paths"] = {
  disk: ["/home/wren/.nido/vms/web/disk.qcow2", "/home/wren/.nido/disks/sha256-ab/disk.qcow2"],
  seed: "/home/wren/.nido/vms/web/seed.iso",
  pid: "/home/wren/.nido/vms/web/qemu.pid",
  work: "/home/wren/.nido/run/0b8e2f6c/work.sock",
  query: "/home/wren/.nido/run/0b8e2f6c/query.sock",
  agent: "/home/wren/.nido/run/0b8e2f6c/agent.sock",
  hatch: "/home/wren/.nido/run/0b8e2f6c/hatch.sock",
  vnc: "/home/wren/.nido/run/0b8e2f6c/vnc.sock",
};

const machine: Machine = {
  name: "web",
  id: "0b8e2f6c-6a4e-4d5c-9d0a-0d6a3c1d2e3f",
  architecture: "x86_64",
  machineType: "pc-q35-7.2",
  accelerator: "kvm",
  cpus: 2,
  memoryMib: 1024,
  wakes: false,
  network: "full",
  hostOs: "linux",
  paths,
};

const uefi = {
  code: "/usr/share/OVMF/OVMF_CODE_4M.fd",
  vars: "/home/wren/.nido/vms/web/firmware_vars.fd",
};
const arm = {
  architecture: "aarch64",
  machineType: "virt-7.2",
  paths: { ...paths, firmware: uefi },
} as const;

const variants: Record<string, Machine> = {
  "linux_x86_64_kvm": machine,
  "linux_x86_64_tcg": { ...machine, accelerator: "tcg" },
  "linux_x86_64_uefi": { ...machine, paths: { ...paths, firmware: uefi } },
  "linux_x86_64_no_network": { ...machine, network: "none" },
  "linux_x86_64_incubator": {
    ...machine,
    ram: { path: "/home/wren/.nido/incubators/ab12/ram", mode: "write" },
  },
  "linux_x86_64_clone": {
    ...machine,
    ram: { path: "/home/wren/.nido/moments/ab12/ram", mode: "copy" },
    wakes: true,
    paths: { ...paths, disk: [paths.disk[0]!, "/m/ab12/disk.qcow2", "/d/disk.qcow2"] },
  },
  "linux_aarch64_kvm": { ...machine, ...arm },
  "linux_aarch64_tcg": { ...machine, ...arm, accelerator: "tcg" },
  "darwin_aarch64_hvf": { ...machine, ...arm, accelerator: "hvf", hostOs: "darwin" },
  "darwin_x86_64_hvf": { ...machine, accelerator: "hvf", hostOs: "darwin" },
  "windows_x86_64_whpx": { ...machine, accelerator: "whpx", hostOs: "windows" },
};

for (const [name, variant] of Object.entries(variants)) {
  Deno.test(`the command line of ${name} is the committed one`, async () => {
    const file = new URL(`${name}.txt`, FOLDER);
    const told = lines(commandLine(variant));
    if (Deno.env.get("UPDATE_COMMAND_LINES")) await Deno.writeTextFile(file, told);
    assert.equal(told, await Deno.readTextFile(file));
  });
}

Deno.test("every VM of one architecture has the same devices in the same order", () => {
  const devices = (machine: Machine) => {
    const args = commandLine(machine);
    return args.filter((_, index) => args[index - 1] === "-device");
  };
  const other: Machine = { ...machine, name: "db", cpus: 8, memoryMib: 4096, network: "none" };
  assert.deepEqual(devices(other), devices(machine));
  assert.deepEqual(devices({ ...machine, accelerator: "tcg" }), devices(machine));
});

Deno.test("a comma in a path doesn't begin a new option", () => {
  const args = commandLine({
    ...machine,
    paths: { ...paths, disk: ["/a,readonly=on/disk.qcow2"] },
  });
  assert.ok(args.includes(
    "driver=file,node-name=disk-file,discard=unmap,filename=/a,,readonly=on/disk.qcow2",
  ));
});

Deno.test("no machine has a balloon, and only Linux is sandboxed by seccomp", () => {
  for (const variant of Object.values(variants)) {
    const line = commandLine(variant).join(" ");
    assert.ok(!line.includes("balloon"));
    assert.equal(line.includes("-sandbox on,"), variant.hostOs === "linux");
    assert.ok(line.includes("-nodefaults -no-user-config"));
  }
});

/** One option and its value a line. */
function lines(args: string[]): string {
  return args.reduce((text, arg, index) => {
    if (index === 0) return arg;
    const isValue = !arg.startsWith("-") && args[index - 1]!.startsWith("-");
    return text + (isValue ? " " : "\n") + arg;
  }, "") + "\n";
}
