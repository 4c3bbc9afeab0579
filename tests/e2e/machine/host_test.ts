import assert from "node:assert/strict";
import { join } from "node:path";
import { hostMemory } from "../../../lib/host/platform.ts";
import { run } from "../../../lib/host/process.ts";
import { nido } from "../../helpers/command.ts";
import { errorOf, leftovers, lives, machinesOf, nest, refuses } from "../../helpers/nest.ts";

/** Mounts a small file system in memory for one test; undefined where that is not allowed. */
async function smallDisk(folder: string, size: string) {
  await Deno.mkdir(folder);
  const mounted = await run("mount", [
    "-t",
    "tmpfs",
    "-o",
    `size=${size},mode=0700`,
    "nido",
    folder,
  ])
    .catch(() => undefined);
  if (!mounted) return undefined;
  return { [Symbol.asyncDispose]: async () => void await run("umount", ["-l", folder]) };
}

const isRoot = Deno.uid() === 0;

Deno.test("a file in the home's place: every command says so", async () => {
  const home = await Deno.makeTempFile({ prefix: "nido-e2e-" });
  try {
    for (
      const command of [["spawn", "x", "--image", "tiny"], ["list"], ["start", "x"], ["rm", "x"]]
    ) {
      const said = await nido([...command, "--json"], { home });
      const { code, message } = errorOf(said);
      assert.deepEqual({ code, message }, {
        code: "denied",
        message: `Cannot use the home ${home}: a file is in its place`,
      }, command.join(" "));
      assert.equal(said.code, 8);
    }
  } finally {
    await Deno.remove(home);
  }
});

Deno.test({
  name: "a home that cannot be written: denied, whatever the command",
  ignore: !isRoot || !canMount(),
  fn: async () => {
    await using home = await nest();
    await home.spawn("x", { wait: "none" });
    await run("mount", ["--bind", home.home, home.home]);
    try {
      await run("mount", ["-o", "remount,bind,ro", home.home]);
      for (const command of [["spawn", "y", "--wait", "none"], ["start", "x"], ["delete", "x"]]) {
        const said = await home.nido([...command, "--json"]);
        assert.equal(said.code, 8, said.stdout);
        const { code, message } = errorOf(said);
        assert.equal(code, "denied");
        assert.match(message, /^Cannot use the home .*: it is on a read-only file system$/);
      }
      assert.equal((await home.row("x"))?.state, "stopped");
    } finally {
      await run("umount", [home.home]);
    }
  },
});

Deno.test({
  name: "a full disk: spawn and start are exhausted and leave nothing; stop and delete work",
  ignore: !isRoot,
  fn: async () => {
    await using disk = await nest();
    const small = join(disk.folder, "small");
    await using mounted = await smallDisk(small, "6m");
    if (!mounted) return;
    await using home = await nest({ home: small });
    await home.spawn("x");
    await home.spawn("y", { wait: "none" });
    const filler = join(small, "filler");
    await fill(filler);

    for (const command of [["spawn", "z", "--wait", "running"], ["start", "y"]]) {
      const said = await home.nido([...command, "--json"]);
      const { code, message } = errorOf(said);
      assert.equal(code, "exhausted", said.stdout);
      assert.match(message, /disk is full|No space left on device/);
      assert.equal(said.code, 10);
    }
    assert.deepEqual((await home.list()).map(({ name, state }) => [name, state]), [
      ["x", "running"],
      ["y", "stopped"],
    ]);
    assert.equal((await machinesOf(home.home)).size, 1);
    await home.call("vm.logs", { name: "x" });
    await home.call("vm.stop", { name: "x", force: true });
    assert.equal((await home.row("x"))?.state, "stopped");
    await home.call("vm.delete", { names: ["x", "y"] });
    await home.assertEmpty();
  },
});

async function fill(path: string): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  for (const size of [65_536, 4096, 1]) {
    const chunk = new Uint8Array(size);
    for (;;) {
      const written = await file.write(chunk).catch(() => 0);
      if (written < size) break;
    }
  }
}

Deno.test("without QEMU, spawn says what to install and leaves nothing", async () => {
  await using home = await nest();
  const bin = await programs(home.folder, {});
  const said = await home.nido(["spawn", "x", "--json"], { PATH: bin });
  const { code, message } = errorOf(said);
  assert.deepEqual({ code, message }, {
    code: "host_missing",
    message: "QEMU for x86_64 guests is not installed: qemu-system-x86_64 is not on PATH",
  });
  assert.equal(said.code, 9);
  await home.assertEmpty();
});

Deno.test("an old QEMU is refused by its version, and nothing is left", async () => {
  await using home = await nest();
  const script = 'echo "QEMU emulator version 6.2.0 (Debian 1:6.2)"';
  const bin = await programs(home.folder, { "qemu-system-x86_64": script });
  const said = await home.nido(["spawn", "x", "--json"], { PATH: bin });
  const { code, message } = errorOf(said);
  assert.deepEqual({ code, message }, {
    code: "host_missing",
    message: "QEMU 6.2.0 is too old: Nido needs 7.2 or newer",
  });
  await home.assertEmpty();
});

Deno.test("a QEMU that ends at once is told with its last words, and nothing is left", async () => {
  await using home = await nest();
  await home.spawn("x", { wait: "none" });
  const script = [
    'case "$1" in --version) echo "QEMU emulator version 7.2.0"; exit;; esac',
    'echo "warming up" >&2',
    'echo "qemu-system-x86_64: -cpu max: this one is tired" >&2',
    "exit 1",
  ].join("\n");
  const bin = await programs(home.folder, { "qemu-system-x86_64": script });
  for (const [verb, name] of [["spawn", "y"], ["start", "x"]] as const) {
    const said = await home.nido([verb, name, "--json"], { PATH: bin });
    const { code, message } = errorOf(said);
    assert.deepEqual({ code, message }, {
      code: "tool_failed",
      message: `Cannot start VM "${name}": QEMU ended at once: -cpu max: this one is tired`,
    });
    assert.equal(said.code, 13);
  }
  assert.deepEqual((await home.list()).map(({ name, state }) => [name, state]), [["x", "stopped"]]);
  await home.call("vm.delete", { names: ["x"] });
  await home.assertEmpty();
});

Deno.test("a QEMU that never answers is ended, and nothing is left", async () => {
  await using home = await nest();
  const script = [
    'case "$1" in --version) echo "QEMU emulator version 7.2.0"; exit;; esac',
    `echo $$ > ${home.folder}/mute.pid`,
    "exec sleep 300",
  ].join("\n");
  const bin = await programs(home.folder, { "qemu-system-x86_64": script });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "main.ts", "spawn", "x", "--json"],
    env: { NIDO_HOME: home.home, PATH: bin },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let pid = 0;
  while (!pid) {
    pid = Number(await Deno.readTextFile(join(home.folder, "mute.pid")).catch(() => "0"));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill("SIGINT");
  assert.equal((await child.output()).code, 130);
  assert.ok(!await lives(pid), "an interrupted spawn left its QEMU");
  await home.assertEmpty();
});

/** A folder with ps, kill, sh, sleep and the given scripts: all there is of PATH. */
async function programs(folder: string, scripts: Record<string, string>): Promise<string> {
  const bin = join(folder, "bin");
  await Deno.mkdir(bin);
  for (const program of ["ps", "kill", "sh", "sleep"]) {
    const { stdout } = await run("which", [program]);
    await Deno.symlink(new TextDecoder().decode(stdout).trim(), join(bin, program));
  }
  for (const [name, script] of Object.entries(scripts)) {
    await Deno.writeTextFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return bin;
}

Deno.test("memory above the host's or below the least is refused", async () => {
  await using home = await nest();
  const { totalMib } = hostMemory();
  await refuses(
    home.spawn("x", { memoryMib: totalMib + 1 }),
    "exhausted",
    `Cannot spawn with ${totalMib + 1} MiB of memory: this host has ${totalMib} MiB`,
  );
  await refuses(
    home.spawn("x", { memoryMib: 64 }),
    "invalid_input",
    "Cannot run vm.spawn: memoryMib: a VM needs at least 128 MiB",
  );
  await home.spawn("x", { wait: "none" });
  await refuses(
    home.call("vm.set", { name: "x", memoryMib: totalMib + 1 }),
    "exhausted",
    `Cannot change VM "x" to ${totalMib + 1} MiB of memory: this host has ${totalMib} MiB`,
  );
});

Deno.test("illegal names are refused by every verb before anything is touched", async () => {
  await using home = await nest();
  const rule =
    "a VM's name is 1 to 63 lowercase letters, digits and hyphens, with no hyphen at either end";
  for (const name of ["../x", "/abs", "", "a".repeat(65), "wrén", "-x", "Upper", "a b", "x\n"]) {
    await refuses(
      home.call("vm.spawn", { name, wait: "none" }),
      "invalid_input",
      `Cannot run vm.spawn: name: ${rule}`,
    );
    for (const verb of ["start", "stop", "info", "logs", "set"]) {
      await refuses(
        home.call(`vm.${verb}`, { name }),
        "invalid_input",
        `Cannot run vm.${verb}: name: ${rule}`,
      );
    }
    for (const verb of name.startsWith("-") ? [] : ["console", "ssh"]) {
      const said = await home.nido([verb, name]);
      assert.equal(
        said.stderr,
        `error: No VM ${JSON.stringify(name)}: ${rule}\n  try: nido list\n`,
      );
      assert.equal(said.code, verb === "ssh" ? 125 : 2);
    }
    await refuses(
      home.call("vm.delete", { names: [name], force: true }),
      "invalid_input",
      `Cannot run vm.delete: names.0: ${rule}`,
    );
  }
  assert.deepEqual(await leftovers(home.home), []);
});

Deno.test("ssh and the console of a VM that is stopped are refused, with what to do", async () => {
  await using home = await nest();
  await home.spawn("x", { wait: "none" });
  const told = { ssh: "open a shell in", console: "open the console of" };
  for (const [verb, doing] of Object.entries(told)) {
    const said = await home.nido([verb, "x"]);
    assert.equal(
      said.stderr,
      `error: Cannot ${doing} VM "x": it is stopped\n  try: nido start x\n`,
    );
    assert.equal(said.code, verb === "ssh" ? 125 : 5);
  }
});

function canMount(): boolean {
  const found = ["/bin/mount", "/usr/bin/mount"].some((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
  if (!found) console.log("skipped: a home that cannot be written, because mount is not here");
  return found;
}
