import assert from "node:assert/strict";
import { join } from "node:path";
import { files, vmFiles } from "../../lib/store/files.ts";
import { prepareHome } from "../../lib/store/home.ts";
import { nido, withHome } from "../helpers/command.ts";

const record = {
  schemaVersion: 1,
  id: "0b8e2f6c-6a4e-4d5c-9d0a-0d6a3c1d2e3f",
  createdAt: "2026-11-01T12:00:00.000Z",
  image: { name: "debian-12", digest: `sha256:${"0".repeat(64)}` },
  architecture: "x86_64",
  firmware: "bios",
  machineType: "pc-q35-7.2",
  cpus: 2,
  memoryMib: 1024,
  user: "nido",
  network: "full",
  ports: [],
  labels: { team: "core" },
  hostKey: "ssh-ed25519 AAAA",
};

Deno.test("list starts ps once and no QEMU, and narrows by label and state", async () => {
  await withHome(async (home) => {
    await prepareHome(home);
    for (const [name, labels] of [["a", { team: "core" }], ["b", {}], ["c", {}]] as const) {
      const folder = files.vm(home, name);
      await Deno.mkdir(folder);
      await Deno.writeTextFile(join(folder, vmFiles.record), JSON.stringify({ ...record, labels }));
    }
    await Deno.writeTextFile(join(files.vm(home, "c"), vmFiles.pid), `${Deno.pid}\n`);
    const programs = join(home, "programs");
    await Deno.mkdir(programs);
    for (const program of ["qemu-system-x86_64", "qemu-system-aarch64", "qemu-img", "ps"]) {
      const script = `#!/bin/sh\necho ${program} >>'${home}/started'\nexec /bin/${program} "$@"\n`;
      await Deno.writeTextFile(join(programs, program), script, { mode: 0o755 });
    }
    const env = { PATH: `${programs}:${Deno.env.get("PATH")}` };

    const { stdout } = await nido(["list", "--json"], { home, env });
    const states = JSON.parse(stdout).data.vms.map((
      vm: { name: string; state: string },
    ) => [vm.name, vm.state]);
    assert.deepEqual(states, [["a", "stopped"], ["b", "stopped"], ["c", "crashed"]]);
    // Once for all of them, once more to be sure of the one that looks crashed.
    assert.equal(await Deno.readTextFile(join(home, "started")), "ps\nps\n");

    const named = async (...args: string[]) =>
      JSON.parse((await nido(["list", "--json", ...args], { home, env })).stdout).data.vms
        .map((vm: { name: string }) => vm.name);
    assert.deepEqual(await named("--label", "team=core"), ["a"]);
    assert.deepEqual(await named("--state", "crashed"), ["c"]);
    assert.deepEqual(await named("--label", "team=core", "--state", "crashed"), []);
  });
});
