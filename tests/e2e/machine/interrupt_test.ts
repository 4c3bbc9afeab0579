import assert from "node:assert/strict";
import { errorOf, machinesOf, nest } from "../../helpers/nest.ts";
import { fromFileUrl } from "../../helpers/paths.ts";

/** The stage to be interrupted in, and the step that shows that it was reached. */
const STAGES: Record<string, string> = {
  disk: "open .*/staging/.*\\.lock",
  "disk, when the folder is in its place": "remove .*/staging/.*\\.lock",
  "qemu, just started": "child.unref",
  "qemu, when its monitor answers": "chmod .*/vnc.sock",
  boot: "rename .*vm.json.*tmp",
};

for (const [stage, step] of Object.entries(STAGES)) {
  Deno.test(`Ctrl-C in stage ${stage}: spawn ends with 130 and leaves nothing`, async () => {
    await using home = await nest();
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--preload",
        fromFileUrl("./kill_at.ts"),
        fromFileUrl("../../main.ts"),
        ...["spawn", "x", "--json"],
      ],
      env: { NIDO_HOME: home.home, INTERRUPT_AT: step },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const { code, stdout, stderr } = await child.output();
    const said = {
      code,
      stdout: new TextDecoder().decode(stdout),
      stderr: new TextDecoder().decode(stderr),
    };
    assert.match(said.stderr, /interrupted before step/);
    assert.equal(said.code, 130, said.stdout + said.stderr);
    assert.equal(errorOf(said).code, "cancelled");
    await home.assertEmpty();
  });
}

Deno.test("Ctrl-C while start waits for the guest: the VM is left running", async () => {
  await using home = await nest();
  await home.spawn("x", { wait: "none" });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", fromFileUrl("../../main.ts"), "start", "x", "--json"],
    env: { NIDO_HOME: home.home },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  while ((await home.row("x"))?.state !== "running");
  child.kill("SIGINT");
  const { code } = await child.output();
  assert.equal(code, 130);
  assert.equal((await home.row("x"))?.state, "running");
  assert.equal((await machinesOf(home.home)).size, 1);
});
