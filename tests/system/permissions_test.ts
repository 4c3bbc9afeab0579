import assert from "node:assert/strict";
import { ERROR_CODES } from "../../lib/errors.ts";
import { permissionsFor } from "../../lib/system/permissions.ts";
import { nido, withHome } from "../helpers/command.ts";
import { fromFileUrl } from "../helpers/paths.ts";

Deno.test("programs, variables and folders are named, and nothing is allowed whole but the network", async () => {
  for (const { flag, reason } of await permissionsFor("/home/me/.nido")) {
    assert.match(flag, /^--allow-(run|read|write|env|sys)=\S+$|^--allow-net$/);
    assert.ok(reason.length > 20);
  }
});

Deno.test("the command line works under the flags that it prints", async () => {
  await withHome(async (home) => {
    const flags = (await nido(["permissions"], { home })).stdout.trim().split("\n");
    const main = fromFileUrl("../../main.ts");
    for (
      const args of [["config", "set", "memory", "1G"], ["config", "list"], ["help"], [
        "complete",
        "--",
        "con",
      ]]
    ) {
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", ...flags, main, ...args],
        env: { NIDO_HOME: home },
      }).output();
      assert.deepEqual([new TextDecoder().decode(stderr), code], ["", 0], args.join(" "));
    }
  });
});

Deno.test("a command whose own file may not be read says which flag is missing", async () => {
  await withHome(async (home) => {
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--allow-env",
        fromFileUrl("../../main.ts"),
        "version",
        "--json",
      ],
      env: { NIDO_HOME: home },
    }).output();
    const { error } = JSON.parse(new TextDecoder().decode(stdout));
    const file = fromFileUrl("../../lib/system/version.ts");
    assert.deepEqual([code, error.code, error.hint], [
      ERROR_CODES.denied.exit,
      "denied",
      `deno run $(nido permissions) --allow-read=${file} ...`,
    ]);
  });
});

Deno.test("the set in deno.json names the same programs, variables and facts", async () => {
  const { permissions } = JSON.parse(await Deno.readTextFile(fromFileUrl("../../deno.json")));
  const flags = Object.fromEntries((await permissionsFor("/home/me/.nido")).map(({ flag }) => {
    const [name, values] = flag.replace("--allow-", "").split("=");
    return [name, values?.split(",") ?? true];
  }));
  const { run, net, env, sys } = permissions.default;
  const system = Deno.build.os === "darwin" ? ["lsof"] : ["ss"];
  assert.deepEqual([...run.filter((program: string) => program !== "ss"), ...system], flags.run);
  assert.deepEqual({ net, env, sys }, { net: flags.net, env: flags.env, sys: flags.sys });
});

Deno.test("the command line works under the set in deno.json", async () => {
  await withHome(async (home) => {
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "-P", fromFileUrl("../../main.ts"), "list"],
      env: { NIDO_HOME: home },
    }).output();
    assert.deepEqual([new TextDecoder().decode(stdout), code], ["no vms\n", 0]);
  });
});
