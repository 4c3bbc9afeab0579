import assert from "node:assert/strict";
import { run } from "../../lib/host/process.ts";
import { files } from "../../lib/store/files.ts";
import { namesIn } from "../../lib/store/record.ts";
import { deleteTemplate } from "../../lib/template/delete.ts";
import { exportTemplate } from "../../lib/template/export.ts";
import { importTemplate } from "../../lib/template/import.ts";
import { verifyTemplate } from "../../lib/template/verify.ts";
import { fails, sha256 } from "../image/fixture.ts";
import { spoil, withTemplate } from "./fixture.ts";

Deno.test("exported and imported again, a template is the same", async () => {
  await using at = await withTemplate("web", { expand: true });
  const file = at.at("web.tar");
  const told = await exportTemplate(at.context, { name: "web", file, force: false });
  assert.deepEqual(told, {
    name: "web",
    file,
    digest: at.template.digest,
    sizeBytes: (await Deno.stat(file)).size,
  });
  assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
  await deleteTemplate(at.context, "web");
  const back = await importTemplate(at.context, { file, force: false });
  const { compactBytes } = at.template.sizes;
  const plain = { expandedPath: undefined, diskPath: at.template.compactPath };
  assert.deepEqual(back, { ...at.template, ...plain, sizes: { compactBytes } });
  assert.equal(await sha256(back.compactPath), at.template.digest);
  assert.equal((await Deno.stat(back.compactPath)).mode! & 0o777, 0o400);
  await verifyTemplate(at.context, "web");
  const second = await importTemplate(at.context, { file, name: "web-2", force: false });
  assert.deepEqual([second.name, second.digest], ["web-2", at.template.digest]);
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
});

Deno.test("an export is an ordinary tar, the same each time", async () => {
  await using at = await withTemplate();
  const [one, two] = [at.at("one.tar"), at.at("two.tar")];
  for (const file of [one, two]) {
    await exportTemplate(at.context, { name: "web", file, force: false });
  }
  assert.equal(await sha256(one), await sha256(two));
  const { stdout } = await run("tar", ["-tf", one]);
  assert.equal(
    new TextDecoder().decode(stdout),
    "manifest.json\ntemplate.json\ncompact.qcow2\n",
  );
});

Deno.test("an export replaces a file only with force, and never a folder", async () => {
  await using at = await withTemplate();
  const file = at.at("web.tar");
  await Deno.writeTextFile(file, "mine");
  const attempt = (file: string, force: boolean) =>
    exportTemplate(at.context, { name: "web", file, force });
  await fails(
    attempt(file, false),
    "already_exists",
    `Cannot export template "web": ${file} exists`,
    `nido template export web ${file} --force`,
  );
  assert.equal(await Deno.readTextFile(file), "mine");
  await fails(
    attempt(at.folder, true),
    "invalid_input",
    `Cannot export template "web": ${at.folder} is a folder`,
  );
  await attempt(file, true);
  assert.ok((await Deno.stat(file)).size > 1 << 20);
  assert.deepEqual(await namesIn(at.folder), ["base.qcow2", "disk.qcow2", "web.tar"]);
});

Deno.test("a damaged template is not exported, and no file is left", async () => {
  await using at = await withTemplate();
  const { compactPath, digest } = at.template;
  await spoil(compactPath, 700_000);
  const found = await sha256(compactPath);
  await fails(
    exportTemplate(at.context, { name: "web", file: at.at("web.tar"), force: false }),
    "integrity",
    'Cannot export template "web": web.compact.qcow2 is damaged: its digest is ' +
      `${found}, and was ${digest}`,
    "nido template verify web",
  );
  assert.deepEqual(await namesIn(at.folder), ["base.qcow2", "disk.qcow2"]);
});

Deno.test("two exports to one file at once: one is told that it exists", async () => {
  await using at = await withTemplate();
  const attempt = () =>
    exportTemplate(at.context, { name: "web", file: at.at("web.tar"), force: false });
  const ended = await Promise.allSettled([attempt(), attempt()]);
  const failed = ended.filter((end) => end.status === "rejected");
  assert.deepEqual(failed.map(({ reason }) => reason.message), [
    `Cannot export template "web": ${at.at("web.tar")} exists`,
  ]);
  await importTemplate(at.context, { file: at.at("web.tar"), name: "again", force: false });
});
