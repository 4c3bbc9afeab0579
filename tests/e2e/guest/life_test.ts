import assert from "node:assert/strict";
import { run } from "../../../lib/host/process.ts";
import { startNido } from "../../helpers/command.ts";
import { Nest } from "../../helpers/guest.ts";
import { fromFileUrl } from "../../helpers/paths.ts";
import { Pty } from "../../helpers/pty.ts";

const USER_DATA = `#cloud-config
users:
  - name: guest-friend
write_files:
  - path: /etc/nest
    content: twigs
runcmd:
  - [sh, -c, "echo fledged >> /var/tmp/fledged"]
`;

Deno.test("one real guest, from the egg to the end", async (t) => {
  await using nest = await Nest.shared("web");
  const shell = (script: string) => nest.ok(["exec", "web", "--", "sh", "-c", script]);
  await Deno.writeTextFile(nest.at("user-data.yaml"), USER_DATA);
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", nest.at("friend")]);
  const served = freePort();

  await t.step("spawn waits until user-data has been applied and tells everything", async () => {
    const spawned = await nest.data([
      "spawn",
      "web",
      "--image",
      "debian:12",
      "--memory",
      "512M",
      "--disk",
      "6G",
      "--user-data",
      nest.at("user-data.yaml"),
      "--ssh-key",
      nest.at("friend.pub"),
      "--port",
      `web:8000:${served}`,
      "--label",
      "team=core",
    ]); // deno-fmt-ignore
    assert.equal(spawned.state, "running");
    assert.equal(spawned.firstBoot, "done");
    assert.deepEqual(spawned.problems, []);
    assert.equal(spawned.user, "nido");
    assert.equal(spawned.accelerator, "tcg");
    assert.ok(spawned.acceleratorReason.length > 10);
    assert.deepEqual(spawned.ports.map((port: { guest: number }) => port.guest), [22, 8000]);
    assert.equal(spawned.spawnPath, "warm");
    for (
      const stage of ["diskSeconds", "qemuSeconds", "renewSeconds", "bootSeconds", "readySeconds"]
    ) {
      assert.ok(spawned.timings[stage] > 0, `${stage} is ${spawned.timings[stage]}`);
    }
    console.log(`    hatched: ${JSON.stringify(spawned.timings)}`);
    const [program, ...args] = spawned.sshCommand.replaceAll(/['"]/g, "").split(" ");
    const { stdout } = await run(program, [...args, "id", "-un"]);
    assert.equal(new TextDecoder().decode(stdout), "nido\n");
  });

  await t.step("the caller's user-data and Nido's own both apply", async () => {
    assert.equal(
      await shell("cat /etc/nest /var/tmp/fledged; hostname; id -un guest-friend"),
      "twigsfledged\nweb\nguest-friend\n",
    );
    assert.equal(await shell("sudo -n id -u"), "0\n");
    assert.equal(await shell("cloud-init status"), "status: done\n");
  });

  await t.step("the disk has grown, and so has its file system", async () => {
    const sizeKib = Number(await shell("df --output=size / | tail -1"));
    assert.ok(sizeKib > 5.5 * 2 ** 20, `the file system has ${sizeKib} KiB`);
    const { diskSizeBytes, diskUsedBytes } = await nest.data(["info", "web"]);
    assert.equal(diskSizeBytes, 6 * 2 ** 30);
    assert.ok(diskUsedBytes > 0 && diskUsedBytes < 2 ** 30);
  });

  await t.step(
    "the caller's key logs in, passwords don't, a wrong host key is refused",
    async () => {
      const info = await nest.data(["ssh-info", "web"]);
      const plain = ["-F", "none", "-o", "BatchMode=yes", "-p", String(info.port)];
      const known = [
        "-o",
        `UserKnownHostsFile=${info.knownHostsFile}`,
        "-o",
        "HostKeyAlias=nido-vm",
      ];
      const strict = ["-o", "StrictHostKeyChecking=yes"];
      const to = ["nido@127.0.0.1", "echo", "in"];
      const friend = ["-i", nest.at("friend"), "-o", "IdentitiesOnly=yes"];
      const { stdout } = await run("ssh", [...plain, ...known, ...strict, ...friend, ...to]);
      assert.equal(new TextDecoder().decode(stdout), "in\n");
      const noKey = ["-o", "PubkeyAuthentication=no"];
      const refused = await run("ssh", [...plain, ...known, ...strict, ...noKey, ...to], {
        accept: [255],
      });
      assert.match(refused.stderr, /Permission denied \(publickey\)/);
      await Deno.writeTextFile(
        nest.at("other_hosts"),
        `nido-vm ${await Deno.readTextFile(nest.at("friend.pub"))}`,
      );
      const other = [
        "-o",
        `UserKnownHostsFile=${nest.at("other_hosts")}`,
        "-o",
        "HostKeyAlias=nido-vm",
      ];
      const wrong = await run("ssh", [...plain, ...other, ...strict, ...friend, ...to], {
        accept: [255],
      });
      assert.match(wrong.stderr, /Host key verification failed/);
      assert.equal(await nest.ok(["ssh", "web", "echo", "by", "ssh"]), "by ssh\n");
    },
  );

  await t.step(
    "exec passes words exactly, and the guest's exit code is the exit status",
    async () => {
      const words = ["a b", "$HOME", "it's", "*", "", "-n", "é\n✓"];
      assert.equal(
        await nest.ok(["exec", "web", "--", "printf", "[%s]", ...words]),
        words.map((word) => `[${word}]`).join(""),
      );
      assert.equal((await nest.run(["exec", "web", "--", "sh", "-c", "exit 7"])).code, 7);
      assert.equal((await nest.run(["exec", "--json", "web", "--", "sh", "-c", "exit 7"])).code, 7);
      assert.equal((await nest.run(["exec", "web", "--", "sh", "-c", "kill -9 $$"])).code, 137);
      assert.equal((await nest.run(["exec", "web", "--", "no-such-program"])).code, 127);
      assert.equal(await nest.ok(["exec", "web", "--", "tr", "a-z", "A-Z"], "quiet"), "QUIET");
      assert.equal(
        await nest.ok([
          "exec",
          "web",
          "--cwd",
          "/etc",
          "--env",
          "WREN=1",
          "--",
          "sh",
          "-c",
          "pwd; echo $WREN",
        ]),
        "/etc\n1\n",
      );
      const { durationMs, ...failed } = await nest.data([
        "exec",
        "web",
        "--",
        "sh",
        "-c",
        "echo out; echo err >&2",
      ]);
      assert.ok(Number.isInteger(durationMs) && durationMs > 0);
      assert.deepEqual(failed, {
        exitCode: 0,
        stdout: "out\n",
        stderr: "err\n",
        stdoutBytes: 4,
        stderrBytes: 4,
        truncated: false,
      });
    },
  );

  await t.step("exec streams big output whole, and keeps head and tail of it in JSON", async () => {
    const big = await nest.ok(["exec", "web", "--", "sh", "-c", "seq 1 2000000"]);
    assert.equal(big.length, 14_888_896);
    assert.ok(big.endsWith("\n2000000\n"));
    const kept = await nest.data([
      "exec",
      "web",
      "--max-output",
      "4096",
      "--",
      "seq",
      "1",
      "200000",
    ]);
    assert.equal(kept.stdoutBytes, 1_288_895);
    assert.ok(kept.truncated && kept.stdout.length < 5000);
    assert.ok(kept.stdout.startsWith("1\n2\n") && kept.stdout.endsWith("\n200000\n"));
  });

  await t.step("100 MB of output don't fill memory and are whole in their file", async () => {
    const child = startNido(
      ["exec", "--json", "web", "--", "head", "-c", "100000000", "/dev/zero"],
      {
        home: nest.home,
      },
    );
    await child.stdin.close();
    let mostMib = 0;
    const watch = setInterval(async () => {
      const { stdout } = await run("ps", ["-o", "rss=", "-p", String(child.pid)], {
        accept: [0, 1],
      });
      mostMib = Math.max(mostMib, Number(new TextDecoder().decode(stdout)) / 1024);
    }, 200);
    const { code, stdout } = await child.output();
    clearInterval(watch);
    const { data } = JSON.parse(new TextDecoder().decode(stdout));
    assert.equal(code, 0);
    assert.deepEqual([data.stdoutBytes, data.truncated, data.notes], [
      100_000_000,
      true,
      undefined,
    ]);
    assert.ok(data.stdoutFile.startsWith(`${nest.home}/vms/web/outputs/`));
    assert.equal((await Deno.stat(data.stdoutFile)).size, 100_000_000);
    console.log(`    100 MB: ${data.durationMs} ms, ${Math.round(mostMib)} MiB of memory`);
    assert.ok(mostMib > 20 && mostMib < 250, `nido took ${mostMib} MiB`);
  });

  await t.step("exec as another user, in its home", async () => {
    const flags = ["-u", "root", "-C", "/etc", "-e", "WREN=a b"];
    assert.equal(
      await nest.ok(["exec", "web", ...flags, "--", "sh", "-c", 'id -un; pwd; echo "$WREN"']),
      "root\n/etc\na b\n",
    );
    assert.equal(await nest.ok(["exec", "-u", "root", "web", "--", "pwd"]), "/root\n");
    assert.equal(await nest.ok(["exec", "-u", "nido", "web", "--", "id", "-un"]), "nido\n");
    assert.deepEqual(await nest.error(["exec", "-u", "wren", "web", "--", "id"]), {
      code: "not_found",
      message: 'Cannot run "id" in VM "web" as wren: it has no such user',
      hint: "nido exec web -- cut -d: -f1 /etc/passwd",
      exit: 125,
    });
  });

  await t.step("exec gives a terminal, and takes none from elsewhere", async () => {
    const main = fromFileUrl("../../main.ts");
    await using pty = new Pty(main, "exec -t web -- bash --norc", { NIDO_HOME: nest.home });
    await pty.until(/bash-[\d.]+\$ /);
    await pty.press("stty size; tty; echo $TERM; cat\r");
    await pty.until(/37 91\s+\/dev\/pts\/\d+\s+vt100/);
    await pty.press("wren\r");
    await pty.until(/wren\s+wren/); // cat runs, and Ctrl-C is for it
    await pty.press("\x03");
    await pty.until(/\^C\s+[^]*bash/);
    await pty.press("exit 7\r");
    await pty.until(/status 7\b[^]* icanon\b[^]*finished/);
    const { code, message } = await nest.error(["exec", "-t", "web", "--", "true"]);
    assert.deepEqual([code, message], [
      "invalid_input",
      "Cannot give the command a terminal: this is not one",
    ]);
  });

  await t.step("a command that takes too long is killed with its children", async () => {
    const late = await nest.error([
      "exec",
      "web",
      "--timeout",
      "3s",
      "--",
      "sh",
      "-c",
      "sleep 4242 & sleep 4242",
    ]);
    assert.equal(late.code, "timeout");
    assert.equal(late.exit, 125);
    assert.equal((await nest.run(["exec", "web", "--", "pgrep", "-f", "sleep 4242"])).code, 1);
  });

  await t.step("files and folders go in and come out", async () => {
    await Deno.mkdir(nest.at("app/deep"), { recursive: true });
    await Deno.writeFile(
      nest.at("app/deep/data.bin"),
      crypto.getRandomValues(new Uint8Array(65_536)),
    );
    await Deno.writeTextFile(nest.at("app/run.sh"), "#!/bin/sh\necho ran\n", { mode: 0o755 });
    await nest.ok(["cp", nest.at("app"), "web:/tmp/app"]);
    assert.equal(await shell("/tmp/app/run.sh"), "ran\n");
    await nest.ok(["cp", "web:/tmp/app", nest.at("back")]);
    assert.deepEqual(
      await Deno.readFile(nest.at("back/deep/data.bin")),
      await Deno.readFile(nest.at("app/deep/data.bin")),
    );
    await shell(
      "mkdir -p /tmp/odd && ln -s /etc/passwd /tmp/odd/out && mkfifo /tmp/odd/pipe && touch /tmp/odd/ok && sudo cp /bin/true /tmp/odd/suid && sudo chmod 4755 /tmp/odd/suid",
    );
    const odd = await nest.data(["download", "web", "/tmp/odd", nest.at("odd")]);
    assert.deepEqual(
      odd.skipped.map((left: { path: string }) => left.path.split("/").at(-1)).sort(),
      ["out", "pipe"],
    );
    assert.equal((await Deno.stat(nest.at("odd/suid"))).mode! & 0o7000, 0);
  });

  await t.step("ports lead into the guest, and come and go while it runs", async () => {
    await shell("cd /tmp/app && (setsid python3 -m http.server 8000 >/dev/null 2>&1 &)");
    await shell(
      "for i in $(seq 100); do ss -ltn | grep -q :8000 && exit 0; sleep 0.2; done; exit 1",
    );
    assert.equal(await fetchText(served, "run.sh"), "#!/bin/sh\necho ran\n");
    await nest.ok(["set", "web", "--remove-port", "web"]);
    await assert.rejects(fetchText(served, "run.sh"));
    await nest.ok(["set", "web", "--port", "8000"]);
    const { ports } = await nest.data(["info", "web"]);
    const { host } = ports.find((port: { guest: number }) => port.guest === 8000);
    assert.equal(await fetchText(host, "run.sh"), "#!/bin/sh\necho ran\n");
  });

  await t.step("a paused guest stands still and goes on", async () => {
    await nest.ok(["pause", "web"]);
    assert.equal((await nest.data(["info", "web"])).state, "paused");
    assert.deepEqual(await nest.error(["exec", "web", "--", "true"]), {
      code: "wrong_state",
      message: 'Cannot run a command in VM "web": it is paused',
      hint: "nido resume web",
      details: { state: "paused" },
      exit: 125,
    });
    await nest.ok(["resume", "web"]);
    assert.equal(await shell("echo on"), "on\n");
  });

  await t.step("the console's log is kept, without the guest's escapes", async () => {
    await shell(
      "printf '\\033[31mred\\033]0;title\\007\\033[2J flag\\n' | sudo tee /dev/ttyS0 >/dev/null",
    );
    const log = await nest.ok(["logs", "web"]);
    assert.match(log, /^red flag$/m);
    assert.ok(!log.includes("\x1b") && !log.includes("\x07"));
  });

  await t.step("ten commands at once work side by side", async () => {
    const digits = [..."0123456789"];
    const said = await Promise.all(
      digits.map((digit) => nest.ok(["exec", "web", "--", "sh", "-c", `sleep 1; echo ${digit}`])),
    );
    assert.deepEqual(said, digits.map((digit) => `${digit}\n`));
  });

  await t.step(
    "a stopped VM keeps its disk, takes a new shape, and boots as who it was, cut off",
    async () => {
      const whoItIs =
        "sudo cat /etc/machine-id /var/lib/cloud/data/instance-id /etc/ssh/ssh_host_*.pub";
      const before = await shell(whoItIs);
      await shell("echo kept > ~/kept && sync");
      const stopped = await nest.data(["stop", "web", "--timeout", "5m"]);
      assert.equal(stopped.how, "acpi");
      const disk = `${nest.home}/vms/web/disk.qcow2`;
      await run("qemu-img", ["check", "-q", "-f", "qcow2", disk]);
      await nest.ok(["set", "web", "--memory", "640M", "--network", "none"]);
      await nest.ok(["start", "web"]);
      assert.equal(await shell("cat ~/kept; hostname"), "kept\nweb\n");
      assert.equal(await shell(whoItIs), before);
      assert.equal(await shell("cat /var/tmp/fledged"), "fledged\n", "runcmd ran again");
      assert.ok(Number(await shell("awk '/MemTotal/ {print $2}' /proc/meminfo")) > 560 * 1024);
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = listener.addr as Deno.NetAddr;
      const reach = `timeout 10 bash -c 'exec 3<>/dev/tcp/10.0.2.2/${port}'`;
      assert.notEqual((await nest.run(["exec", "web", "--", "sh", "-c", reach])).code, 0);
    },
  );

  await t.step("the power can be cut, and the disk is sound", async () => {
    await nest.ok(["stop", "web", "--force"]);
    assert.equal((await nest.data(["info", "web"])).state, "stopped");
    await run("qemu-img", ["check", "-q", "-f", "qcow2", `${nest.home}/vms/web/disk.qcow2`]);
  });
});

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function fetchText(port: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/${path}`, {
    signal: AbortSignal.timeout(30_000),
  });
  return await response.text();
}
