import assert from "node:assert/strict";
import { join } from "node:path";
import type { Progress } from "../../lib/context.ts";
import { readQcow2 } from "../../lib/image/qcow2.ts";
import { files } from "../../lib/store/files.ts";
import { namesIn } from "../../lib/store/record.ts";
import { holdTemplate } from "../../lib/template/hold.ts";
import { storeTemplate } from "../../lib/template/store.ts";
import { openTemplate } from "../../lib/template/template.ts";
import { fails, qemuImg, sha256, writeQcow2 } from "../image/fixture.ts";
import { cloneOf, store, storeRequest, withDisk, withTemplate } from "./fixture.ts";

Deno.test("a stored template stands alone, compressed, sealed and private", async () => {
  await using at = await withDisk();
  const stages: Progress[] = [];
  const context = { ...at.context, report: (progress: Progress) => void stages.push(progress) };
  const template = await storeTemplate(context, storeRequest("web", at.disk, { expand: true }));
  assert.deepEqual(template, await openTemplate(at.context, "web"));
  const folder = files.template(at.home, "web");
  const disks = ["web.compact.qcow2", "web.expanded.qcow2"];
  assert.deepEqual(await namesIn(folder), ["template.json", ...disks]);
  assert.equal((await Deno.stat(folder)).mode! & 0o777, 0o700);
  for (const disk of disks) {
    const header = await readQcow2(join(folder, disk));
    assert.deepEqual([header.backingFile, header.virtualSizeBytes], [undefined, 1 << 20]);
    assert.equal((await Deno.stat(join(folder, disk))).mode! & 0o777, 0o400);
    assert.match(await qemuImg("compare", join(folder, disk), at.disk), /identical/);
  }
  assert.equal((await readQcow2(template.compactPath)).compression, "zstd");
  assert.equal(template.digest, await sha256(template.compactPath));
  assert.equal(template.diskPath, template.expandedPath);
  assert.deepEqual(template.sizes, {
    compactBytes: (await Deno.stat(template.compactPath)).size,
    expandedBytes: (await Deno.stat(template.expandedPath!)).size,
  });
  const flattening = stages.filter(({ stage }) => stage === "flatten");
  assert.equal(flattening.at(-1)?.done, 100);
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
});

Deno.test("a name that is taken is replaced only with force", async () => {
  await using at = await withTemplate();
  await fails(
    store(at, "web"),
    "already_exists",
    'Cannot create template "web": template "web" exists',
    "nido template create dev web --force",
  );
  const other = await writeQcow2(at.at("other.qcow2"), 2 << 20, 7);
  const replaced = await store(at, "web", { force: true, diskSource: other });
  assert.equal(replaced.diskSizeBytes, 2 << 20);
  assert.notEqual(replaced.digest, at.template.digest);
  assert.deepEqual(await namesIn(files.templates(at.home)), ["web"]);
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
});

Deno.test("a template that clones stand on is not replaced, whatever the force", async () => {
  await using at = await withTemplate();
  await cloneOf(at.home, "b", at.template.diskPath);
  await cloneOf(at.home, "a", at.template.diskPath);
  await fails(
    store(at, "web", { force: true }),
    "in_use",
    'Cannot create template "web": in use by a, b',
    "nido delete a b",
  );
  assert.equal((await openTemplate(at.context, "web")).digest, at.template.digest);
});

Deno.test("a clone that is made while its template is built anew keeps the template", async () => {
  await using at = await withTemplate();
  let cloned: Promise<void> | undefined;
  const report = ({ stage }: Progress) => {
    if (stage === "flatten") cloned ??= cloneOf(at.home, "dev", at.template.diskPath);
  };
  // The place is taken only when the clone stands: its spawn holds the template until then.
  using lock = await holdTemplate(at.context, at.template, "spawn");
  const request = storeRequest("web", at.disk, { force: true });
  const storing = storeTemplate({ ...at.context, report }, request);
  const ended = storing.catch((error) => error);
  while (!cloned) await new Promise((resolve) => setTimeout(resolve, 5));
  await cloned;
  lock[Symbol.dispose]();
  assert.equal((await ended).message, 'Cannot create template "web": in use by dev');
  assert.equal((await openTemplate(at.context, "web")).createdAt, at.template.createdAt);
});

Deno.test("a name that would be a path is refused before anything is made", async () => {
  await using at = await withDisk();
  for (const name of ["../x", "a/b", ".hidden", "Upper", "a:b", ""]) {
    await fails(
      store(at, name),
      "invalid_input",
      `Cannot create template "${name}": use a-z 0-9 . _ - ` +
        "(at most 64, beginning with a letter or a digit)",
    );
  }
  assert.deepEqual(await namesIn(files.locks(at.home)), []);
  assert.deepEqual(await namesIn(files.templates(at.home)), []);
});

Deno.test("a disk that can't be read leaves no template", async () => {
  await using at = await withDisk();
  await Deno.remove(at.at("base.qcow2"));
  const error = await store(at, "web").then(() => undefined, (thrown) => thrown);
  assert.equal(error.code, "tool_failed");
  assert.match(error.message, /Could not open '.*base\.qcow2': No such file or directory/);
  assert.deepEqual(await namesIn(files.templates(at.home)), []);
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
});

Deno.test("an interrupted store leaves nothing", async () => {
  await using at = await withDisk();
  const interrupt = new AbortController();
  const report = ({ stage }: Progress) => stage === "flatten" && interrupt.abort();
  const context = { ...at.context, signal: interrupt.signal, report };
  const request = storeRequest("web", at.disk, { expand: true });
  await assert.rejects(storeTemplate(context, request), { name: "AbortError" });
  assert.deepEqual(await namesIn(files.templates(at.home)), []);
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
});
