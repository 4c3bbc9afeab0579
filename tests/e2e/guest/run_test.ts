import assert from "node:assert/strict";
import { join } from "node:path";
import { startNido } from "../../helpers/command.ts";
import { Nest } from "../../helpers/guest.ts";

const SHAPE = ["--image", "debian:12", "--memory", "512M"];

Deno.test("one command in a VM of its own, which is gone afterwards", async (t) => {
  await using nest = await Nest.shared("once");
  const run = async (name: string, ...words: string[]) =>
    await nest.run(["run", "--name", `once-${name}`, ...SHAPE, ...words]);
  const names = async () => {
    const { vms } = await nest.data(["list"]);
    return vms.map(({ name }: { name: string }) => name)
      .filter((name: string) => name.startsWith("once-"));
  };

  await t.step("output and exit code are the command's", async () => {
    const { code, stdout } = await run("plain", "--", "sh", "-c", "uname -s; echo no >&2; exit 7");
    assert.deepEqual([code, stdout], [7, "Linux\n"]);
    assert.deepEqual(await names(), []);
  });

  await t.step(
    "a program that is not there is 127, one that is killed 128 and the signal",
    async () => {
      assert.equal((await run("absent", "--", "no-such-program")).code, 127);
      assert.equal((await run("killed", "--", "sh", "-c", "kill -TERM $$")).code, 143);
      assert.deepEqual(await names(), []);
    },
  );

  await t.step("files go in, the command runs among them, results come out", async () => {
    const project = nest.at("project");
    await Deno.mkdir(project);
    await Deno.writeTextFile(join(project, "in.txt"), "egg\n");
    const script = "mkdir out; tr a-z A-Z <in.txt >out/big.txt; exit 3";
    const { code, stderr } = await run(
      "copies",
      ...["--upload", project, "--download", `out:${nest.at("results")}`, "--download"],
      ...[`nothing:${nest.at("nothing")}`, "--", "sh", "-c", script],
    );
    assert.equal(code, 3, stderr);
    assert.equal(await Deno.readTextFile(nest.at("results/big.txt")), "EGG\n");
    assert.match(stderr, /nothing/);
    assert.deepEqual(await names(), []);
  });

  await t.step("a command that takes too long is ended with 124", async () => {
    const { code, stdout } = await run(
      "late",
      "--timeout",
      "2s",
      "--",
      "sh",
      "-c",
      "echo a; sleep 60",
    );
    assert.deepEqual([code, stdout], [124, "a\n"]);
    assert.deepEqual(await names(), []);
  });

  await t.step(
    "a VM whose command failed is kept on request, and one that did well is not",
    async () => {
      assert.equal((await run("good", "--keep-on-failure", "--", "true")).code, 0);
      assert.deepEqual(await names(), []);
      const { code, stderr } = await run("bad", "--keep-on-failure", "--", "false");
      assert.equal(code, 1);
      assert.match(
        stderr,
        /VM "once-bad" is kept: nido ssh once-bad, nido delete once-bad --force/,
      );
      assert.deepEqual(await names(), ["once-bad"]);
      await nest.ok(["delete", "once-bad", "--force"]);
    },
  );

  await t.step("interrupted, it is gone all the same", async () => {
    const words = ["run", "--name", "once-cut", ...SHAPE, "--keep-on-failure", "--", "sh", "-c"];
    const child = startNido([...words, "echo begun; sleep 600"], { home: nest.home });
    const said = child.stdout.getReader();
    while (!new TextDecoder().decode((await said.read()).value).includes("begun"));
    child.kill("SIGINT");
    assert.equal((await child.status).code, 130);
    await Promise.all([said.cancel(), child.stderr.cancel(), child.stdin.close()]);
    assert.deepEqual(await names(), []);
  });

  await t.step("what is wrong with the request is found before anything is made", async () => {
    const { code, stderr } = await run("wrong", "--download", "nowhere", "--", "true");
    assert.equal(code, 125);
    assert.match(stderr, /Cannot download nowhere: it is not PATH:HERE/);
    const absent = await run("wrong", "--upload", nest.at("absent"), "--", "true");
    assert.equal(absent.code, 125);
    assert.match(absent.stderr, /Cannot upload .*absent: it can't be read/);
    assert.deepEqual(await names(), []);
  });
});
