import assert from "node:assert/strict";
import { join } from "node:path";
import { run } from "../../../lib/host/process.ts";
import { files } from "../../../lib/store/files.ts";
import { namesIn } from "../../../lib/store/record.ts";
import { listTemplates } from "../../../lib/template/template.ts";
import { verifyTemplate } from "../../../lib/template/verify.ts";
import { fromFileUrl } from "../../helpers/paths.ts";
import type { Fixture } from "../../image/fixture.ts";
import { store, withDisk } from "../../template/fixture.ts";

const SCRIPT = fromFileUrl("../fixtures/store_template.ts");

async function storeInProcess(home: string, disk: string, name: string, env = {}) {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, home, disk, name],
    env,
    stdin: "null",
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { said: text(output.stdout), signal: output.signal, stderr: text(output.stderr) };
}

/** Puts a qemu-img on PATH that runs these lines of shell, with the real one as `$real`. */
async function fakeQemuImg(at: Fixture, name: string, lines: string[]) {
  const bin = at.at(name);
  await Deno.mkdir(bin);
  const real = new TextDecoder().decode((await run("which", ["qemu-img"])).stdout).trim();
  const script = ["#!/bin/sh", `real=${real}`, `bin=${bin}`, ...lines, 'exec $real "$@"'];
  await Deno.writeTextFile(join(bin, "qemu-img"), script.join("\n"), { mode: 0o755 });
  return { PATH: `${bin}:${Deno.env.get("PATH")}` };
}

Deno.test("of processes that store one name at once, one does and the others are told", async () => {
  await using at = await withDisk();
  const names = ["web", "web", "web", "db"];
  const ended = await Promise.all(names.map((name) => storeInProcess(at.home, at.disk, name)));
  const said = ended.slice(0, 3).map(({ said }) => said).sort();
  const { digest } = await verifyTemplate(at.context, "web");
  assert.deepEqual(said, ["already_exists", "already_exists", digest].sort());
  assert.equal(ended[3]!.said, (await verifyTemplate(at.context, "db")).digest);
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
});

Deno.test("killed around each call of qemu-img, a store leaves nothing", async () => {
  await using at = await withDisk();
  for (let nth = 1; nth <= 3; nth++) {
    for (const first of ["", '$real "$@"; ']) {
      const env = await fakeQemuImg(at, `bin-${nth}-${first.length}`, [
        "echo >> $bin/calls",
        `[ $(wc -l < $bin/calls) = ${nth} ] && { ${first}kill -KILL $PPID; exit; }`,
      ]);
      const { signal, stderr } = await storeInProcess(at.home, at.disk, "web", env);
      assert.equal(signal, "SIGKILL", stderr);
      assert.deepEqual(await listTemplates(at.context), []);
    }
  }
  await store(at, "web");
  await verifyTemplate(at.context, "web");
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
});

Deno.test("a qemu-img without zstd compresses with zlib", async () => {
  await using at = await withDisk();
  const told = "qemu-img: x: Parameter 'compression-type' does not accept value 'zstd'";
  const env = await fakeQemuImg(at, "bin", [
    `case "$*" in *zstd*) echo "${told}" >&2; exit 1;; esac`,
  ]);
  const { said, stderr } = await storeInProcess(at.home, at.disk, "web", env);
  assert.equal(said, (await verifyTemplate(at.context, "web")).digest, stderr);
  const { stdout } = await run("qemu-img", [
    "info",
    "--output=json",
    join(files.template(at.home, "web"), "web.compact.qcow2"),
  ]);
  const info = JSON.parse(new TextDecoder().decode(stdout));
  assert.equal(info["format-specific"].data["compression-type"], "zlib");
});
