import assert from "node:assert/strict";
import { Nest } from "../../helpers/guest.ts";
import { fromFileUrl } from "../../helpers/paths.ts";

Deno.test("the whole life of a VM runs under the flags that `nido permissions` prints", async () => {
  await using nest = await Nest.withGuestImage();
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

  await nido("doctor");
  await nido("spawn", "web", "--image", "debian-12", "--memory", "512M", "--port", "80");
  assert.equal(await nido("exec", "web", "--", "echo", "in"), "in\n");
  assert.equal(await nido("ssh", "web", "echo", "in"), "in\n");
  await nido("cp", nest.at("note"), "web:note");
  await nido("cp", "web:note", nest.at("copy"));
  assert.equal(await Deno.readTextFile(nest.at("copy")), "from the host\n");
  await nido("pause", "web");
  await nido("resume", "web");
  await nido("display", "web", "on");
  await nido("logs", "web");
  assert.match(await nido("list"), /web +running/);
  await nido("set", "web", "--label", "a=b", "--disk", "3G");
  await nido("stop", "web");
  await nido("start", "web", "--wait", "running");
  await nido("info", "web");
  await nido("delete", "web", "--force");
  await nido("config", "set", "image", "debian-12");
  await nido("image", "remove", "debian-12");
  await nido("version");
});
