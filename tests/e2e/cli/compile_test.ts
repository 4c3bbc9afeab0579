import assert from "node:assert/strict";
import { join } from "node:path";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
// What the validator needs and does not bring.
import "ajv";
import "ajv-formats";
import "ajv-formats-draft2019";
import { bundle } from "../../../scripts/build/bundle.ts";
import { sbomOf } from "../../../scripts/build/sbom.ts";
import { writeSums } from "../../../scripts/build/sums.ts";
import { binaryName } from "../../../lib/system/installed/release.ts";
import { targets } from "../../../scripts/build/targets.ts";
import manifest from "../../../deno.json" with { type: "json" };
import { withHome } from "../../helpers/command.ts";
import { fromFileUrl } from "../../helpers/paths.ts";

const ROOT = fromFileUrl("../..");

/** Runs the compile script and gives how it ended and the last line that it said. */
async function compile(folder: string, args: string[], env: Record<string, string> = {}) {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/compile.ts", "--output", folder, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  }).output();
  return [code, new TextDecoder().decode(stderr).trim()] as const;
}

Deno.test("the SBOM of a bundle is valid, tells all that is in it, and has its digests", async () => {
  await withHome(async (folder) => {
    const file = join(folder, "nido.js");
    await bundle(file);
    const code = await Deno.readTextFile(file);
    const text = sbomOf(code);
    assert.equal(text, sbomOf(code));
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    assert.equal(await validator.validate(text), null);
    assert.notEqual(await validator.validate(text.replace('"name": "zod"', '"nome": "zod"')), null);

    const sbom = JSON.parse(text);
    assert.equal(sbom.metadata.component.version, manifest.version);
    const components: { name: string; hashes?: unknown[] }[] = sbom.components;
    const names = components.map(({ name }) => name);
    for (const name of ["zod", "ssh2", "asn1", "@modelcontextprotocol/sdk", "deno"]) {
      assert.ok(names.includes(name), name);
    }
    assert.ok(!names.includes("@types/node"));
    assert.deepEqual(components.filter(({ hashes }) => !hashes).map(({ name }) => name), ["deno"]);
  });
});

Deno.test("SHA256SUMS is read by sha256sum", async () => {
  await withHome(async (folder) => {
    await Deno.writeTextFile(join(folder, "b"), "b");
    await Deno.writeTextFile(join(folder, "a"), "a");
    await writeSums(folder, ["b", "a"]);
    const check = async () =>
      (await new Deno.Command("sha256sum", {
        args: ["--check", "--strict", "SHA256SUMS"],
        cwd: folder,
        stdout: "null",
        stderr: "null",
      }).output()).code;
    assert.equal(await check(), 0);
    await Deno.writeTextFile(join(folder, "a"), "b");
    assert.equal(await check(), 1);
  });
});

Deno.test("every target has a name of its own", () => {
  const names = Object.values(targets).map((system) => binaryName("1.2.3", system));
  assert.equal(new Set(names).size, 5);
  assert.deepEqual(names.slice(3), [
    "nido-1.2.3-macos-aarch64",
    "nido-1.2.3-windows-x86_64.exe",
  ]);
});

Deno.test("what cannot be compiled ends with one sentence and a status of its own", async () => {
  await withHome(async (folder) => {
    const other = "aarch64-apple-darwin";
    const deno = await Deno.realPath(Deno.execPath());
    assert.deepEqual(await compile(folder, ["--target", other], { DENORT_BIN: deno }), [
      69,
      `Cannot compile Nido: DENORT_BIN (${deno}) is no denort for ${other}`,
    ]);
    // Of the same format, but it takes the command line for itself.
    assert.deepEqual(await compile(folder, [], { DENORT_BIN: deno }), [
      69,
      `Cannot compile Nido: DENORT_BIN (${deno}) is no denort for ${Deno.build.target}`,
    ]);
    assert.deepEqual(await compile(folder, [], { DENORT_BIN: join(folder, "none") }), [
      69,
      `Cannot compile Nido: DENORT_BIN (${folder}/none) is no denort for ${Deno.build.target}`,
    ]);
    assert.deepEqual(await compile(folder, ["--target", "all"], { DENORT_BIN: deno }), [
      2,
      "DENORT_BIN is the denort of one system: say which with --target",
    ]);
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    assert.deepEqual(names, [`nido-${manifest.version}.js`]);
  });
});

Deno.test("without a runtime to download nothing is compiled", async () => {
  await withHome(async (folder) => {
    // Nothing listens there, and a fresh cache has no denort either.
    const env = { HTTPS_PROXY: "http://127.0.0.1:9", DENO_DIR: folder };
    const target = Deno.build.target;
    const file = join(folder, "empty.js");
    await Deno.writeTextFile(file, "");
    const code = `
      import { compileBinary } from "${new URL(
      "../../../scripts/build/binary.ts",
      import.meta.url,
    )}";
      await compileBinary("${file}", "${file}.out", "${target}").catch((error) => {
        console.log(error.constructor.name, error.message);
      });`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-config", code],
      env,
    }).output();
    assert.equal(
      new TextDecoder().decode(stdout).trim(),
      `NoRuntime denort for ${target} can't be downloaded here, and DENORT_BIN names none`,
    );
  });
});
