import assert from "node:assert/strict";
import { guestImage, Nest } from "../../helpers/guest.ts";
import { fromFileUrl } from "../../helpers/paths.ts";

Deno.test("the whole life of a VM runs under the flags that `nido permissions` prints", async () => {
  await using nest = await Nest.shared("narrow");
  await Deno.writeTextFile(nest.at("note"), "from the host\n");
  const flags = (await nest.ok(["permissions"])).trim().split("\n").map((flag) =>
    // The files that this test names itself.
    /^--allow-(read|write)=/.test(flag) ? `${flag},${nest.folder}` : flag
  );
  assert.ok(
    !flags.some((flag) => /^(-A|--allow-all|--allow-run|--allow-read|--allow-write)$/.test(flag)),
  );
  const nido = async (...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...flags, fromFileUrl("../../main.ts"), ...args],
      env: { NIDO_HOME: nest.home },
      stdin: "null",
    }).output();
    const said = new TextDecoder().decode(stdout);
    assert.equal(code, 0, `nido ${args.join(" ")}:\n${new TextDecoder().decode(stderr)}${said}`);
    return said;
  };

  const image = nest.at("image.qcow2");
  await Deno.copyFile(await guestImage(), image);
  await nido("doctor");
  await nido("image", "import", image, "--name", "narrow");
  const spawned = await nido(
    "spawn",
    "narrow",
    "--image",
    "narrow",
    "--memory",
    "512M",
    "--port",
    "80",
  );
  assert.match(spawned, / warm: it woke from the memory of image /);
  assert.equal(await nido("exec", "narrow", "--", "echo", "in"), "in\n");
  assert.equal(await nido("ssh", "narrow", "echo", "in"), "in\n");
  await nido("cp", nest.at("note"), "narrow:note");
  await nido("cp", "narrow:note", nest.at("copy"));
  assert.equal(await Deno.readTextFile(nest.at("copy")), "from the host\n");
  await nido("pause", "narrow");
  await nido("resume", "narrow");
  await nido("display", "narrow", "on");
  await nido("logs", "narrow");
  assert.match(await nido("list"), /narrow +running/);
  await nido("fork", "narrow", "--into", "narrow-copy");
  await nido("suspend", "narrow-copy");
  await nido("resume", "narrow-copy");
  await nido("delete", "narrow-copy", "--force");
  await nido("set", "narrow", "--label", "a=b", "--disk", "3G");
  await nido("stop", "narrow");
  await nido("start", "narrow", "--wait", "running");
  await nido("info", "narrow");
  await nido("delete", "narrow", "--force");
  await nido("config", "set", "warm", "on");
  await nido("image", "remove", "narrow");
  await nido("version");
});
