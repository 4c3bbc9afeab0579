import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { thisPlatform } from "../../lib/host/platform.ts";
import { withHome } from "../helpers/command.ts";
import { serveImages } from "../helpers/image_server.ts";
import { releaseFiles } from "../helpers/release.ts";
import { ROOT, SETUP, setupAction } from "./actions.ts";

/** How a step ended, and what it wrote for those that follow. */
interface Ended {
  code: number;
  said: string;
  output: string;
  env: string;
  path: string;
}

/** Runs a step of the action as a runner does. */
async function step(
  name: string,
  folder: string,
  env: Record<string, string>,
  programs = "/usr/local/bin:/usr/bin:/bin",
): Promise<Ended> {
  const { runs } = await setupAction();
  const { run = assert.fail(name) } = runs.steps.find((step) => step.name === name)!;
  const script = join(folder, "step.sh");
  await Deno.writeTextFile(script, run);
  const files = ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH"];
  for (const file of files) await Deno.writeTextFile(join(folder, file), "");
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["--noprofile", "--norc", "-e", "-o", "pipefail", script],
    cwd: folder,
    clearEnv: true,
    env: {
      PATH: programs,
      HOME: folder,
      RUNNER_TEMP: folder,
      GITHUB_ACTION_PATH: dirname(join(ROOT, SETUP)),
      ...Object.fromEntries(files.map((file) => [file, join(folder, file)])),
      ...env,
    },
  }).output();
  const [output, environment, path] = await Promise.all(
    files.map((file) => Deno.readTextFile(join(folder, file))),
  );
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return { code, said, output: output!, env: environment!, path: path! };
}

Deno.test("the action installs the version that is asked for, and names it, its home and its place", async () => {
  await withHome(async (folder) => {
    const on = thisPlatform();
    await using server = serveImages({
      ...await releaseFiles("1.2.3", { on, isLatest: false }),
      ...await releaseFiles("1.2.4", { on }),
    });
    for (const [VERSION, version] of [["", "1.2.4"], ["1.2.3", "1.2.3"]]) {
      const FROM = server.url("").slice(0, -1);
      const { code, said, ...written } = await step("Install Nido", folder, {
        VERSION: VERSION!,
        FROM,
      });
      assert.equal(code, 0, said);
      assert.deepEqual(written, {
        output: `version=${version}\nhome=${folder}/nido-home\n`,
        env: `NIDO_HOME=${folder}/nido-home\n`,
        path: `${folder}/nido-program\n`,
      });
    }
  });
});

/** Pulls an image with a Nido that only tells what it was asked. */
async function pull(kept: string, verifies = true): Promise<Ended> {
  let ended: Ended | undefined;
  await withHome(async (folder) => {
    const nido = `#!/bin/sh\necho "asked $*" >&2\ncase $2 in\n` +
      `  pull) echo '{"data":{"images":[{"name":"a","digest":"sha256:12ab","diskBytes":1}]}}' ;;\n` +
      `  verify) exit ${verifies ? 0 : 1} ;;\nesac\n`;
    await Deno.writeTextFile(join(folder, "nido"), nido, { mode: 0o755 });
    const env = { IMAGE: "debian:12; touch no", KEPT: kept };
    ended = await step("Pull the image", folder, env, `${folder}:/usr/bin:/bin`);
    await assert.rejects(Deno.stat(join(folder, "no")), Deno.errors.NotFound);
  });
  return ended!;
}

const PULLED = "asked image pull debian:12; touch no --json\n";
const VERIFIED = "asked image verify debian:12; touch no\n";
const PRUNED = "asked cache prune\n";

Deno.test("an image that comes from the cache is verified, and not kept again", async () => {
  const { code, said, output } = await pull("nido-Linux-X64-debian:12-sha256:12ab");
  assert.deepEqual([code, said], [0, PULLED + VERIFIED + PRUNED]);
  assert.equal(output, "digest=sha256:12ab\nkept=true\n");
});

Deno.test("an image that is new, or newer than the kept one, is to be kept", async () => {
  for (
    const [kept, asked] of [["", PULLED + PRUNED], ["x-sha256:00", PULLED + VERIFIED + PRUNED]]
  ) {
    const { code, said, output } = await pull(kept!);
    assert.deepEqual([code, said, output], [0, asked, "digest=sha256:12ab\n"]);
  }
});

Deno.test("a damaged disk in the cache ends the job", async () => {
  const { code, said, output } = await pull("nido-Linux-X64-debian:12-sha256:12ab", false);
  assert.deepEqual([code, said, output], [1, PULLED + VERIFIED, ""]);
});
