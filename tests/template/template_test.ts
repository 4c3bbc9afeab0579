import assert from "node:assert/strict";
import { join } from "node:path";
import { files } from "../../lib/store/files.ts";
import { namesIn } from "../../lib/store/record.ts";
import { deleteTemplate } from "../../lib/template/delete.ts";
import { holdTemplate } from "../../lib/template/hold.ts";
import templateInfo from "../../lib/template/info.ts";
import templateList from "../../lib/template/list.ts";
import { findTemplate, openTemplate } from "../../lib/template/template.ts";
import { fails, writeQcow2 } from "../image/fixture.ts";
import { cloneOf, store, withTemplate } from "./fixture.ts";

Deno.test("unknown and illegal names are not found, and never a path", async () => {
  await using at = await withTemplate("web");
  await Deno.mkdir(join(at.home, "templates", "Upper"));
  const cases: [string, string][] = [
    ["wbe", 'No template "wbe"; the nearest is "web"'],
    ["../x", 'No template "../x"'],
    ["../templates/web", 'No template "../templates/web"'],
    ["Upper", 'No template "Upper"'],
    ["a:b", 'No template "a:b"'],
    [".web.replaced", 'No template ".web.replaced"'],
    ["", 'No template ""'],
    ["x".repeat(65), `No template "${"x".repeat(65)}"`],
  ];
  for (const [name, message] of cases) {
    await fails(openTemplate(at.context, name), "not_found", message, "nido templates");
    await fails(deleteTemplate(at.context, name), "not_found", message, "nido templates");
    await fails(templateInfo.call(at.context, { name }), "not_found", message, "nido templates");
  }
  assert.deepEqual((await namesIn(files.locks(at.home))).filter((name) => name.includes("x")), []);
});

Deno.test("broken templates are listed, don't hide others, and can be deleted", async () => {
  await using at = await withTemplate("web", { expand: true });
  await cloneOf(at.home, "dev", at.template.diskPath);
  const place = (name: string) => files.template(at.home, name);
  for (const name of ["torn", "future", "empty", "lost"]) await Deno.mkdir(place(name));
  const record = await Deno.readTextFile(join(place("web"), "template.json"));
  await Deno.writeTextFile(join(place("torn"), "template.json"), record.slice(0, 100));
  await Deno.writeTextFile(join(place("future"), "template.json"), '{"schemaVersion":2}');
  await Deno.writeTextFile(join(place("lost"), "template.json"), record);
  const { templates } = await templateList.call(at.context, {}) as {
    templates: { name: string; state: string; problems: string[]; usedBy: string[] }[];
  };
  const told = templates.map(({ name, state, usedBy, problems }) => [
    name,
    state,
    usedBy.join(),
    ...problems,
  ]);
  const unreadable = (name: string, fact: string) =>
    `Cannot read ${join(place(name), "template.json")}: ${fact}`;
  assert.deepEqual(told, [
    ["empty", "broken", "", 'Template "empty" is broken: its template.json is missing'],
    [
      "future",
      "broken",
      "",
      unreadable("future", "its schemaVersion is 2, this Nido knows 1"),
    ],
    ["lost", "broken", "", 'Template "lost" is broken: its lost.compact.qcow2 is missing'],
    ["torn", "broken", "", unreadable("torn", "it is not JSON")],
    ["web", "ready", "dev"],
  ]);
  for (const name of ["torn", "future", "empty", "lost"]) await deleteTemplate(at.context, name);
  assert.deepEqual(await namesIn(files.templates(at.home)), ["web"]);
});

Deno.test("sizes on disk are told for both copies, and the record's facts", async () => {
  await using at = await withTemplate("web", { expand: true });
  const shown = await templateInfo.call(at.context, { name: "web" });
  const { source, sizes: _, folder: __, compactPath, expandedPath, ...known } = at.template;
  const used = async (path: string) => (await Deno.stat(path)).blocks! * 512;
  assert.deepEqual(shown, {
    ...known,
    state: "ready",
    sourceVm: source.vm,
    sourceImage: source.image.name,
    sourceDigest: source.image.digest,
    compactBytes: await used(compactPath),
    expandedBytes: await used(expandedPath!),
    usedBy: [],
    warm: [],
  });
});

Deno.test("a deletion waits for a spawn that holds the template, and then sees its VM", async () => {
  await using at = await withTemplate();
  const lock = await holdTemplate(at.context, at.template, 'spawn VM "fresh"');
  let settled = false;
  const deletion = deleteTemplate(at.context, "web").catch((error) => error);
  deletion.finally(() => settled = true);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(settled, false);
  await cloneOf(at.home, "fresh", at.template.diskPath);
  lock[Symbol.dispose]();
  assert.equal((await deletion).message, 'Cannot delete template "web": in use by fresh');
});

Deno.test("what was deleted or replaced since it was opened can't be held", async () => {
  await using at = await withTemplate();
  const hold = () => holdTemplate(at.context, at.template, 'spawn VM "dev"');
  (await hold())[Symbol.dispose]();
  const diskSource = await writeQcow2(at.at("other.qcow2"), 1 << 20, 9);
  await store(at, "web", { force: true, diskSource });
  const message = (fate: string) => `Cannot spawn VM "dev": template "web" was ${fate}`;
  await fails(hold(), "not_found", message("replaced"), "nido templates");
  await deleteTemplate(at.context, "web");
  await fails(hold(), "not_found", message("removed"), "nido templates");
  await store(at, "web"); // the lock is free again
});

Deno.test("a replacement that was killed in the middle is undone by the next look", async () => {
  await using at = await withTemplate();
  const [place, aside] = [
    files.template(at.home, "web"),
    files.replacedTemplate(at.home, "web"),
  ];
  const looks = [
    () => openTemplate(at.context, "web"),
    () => templateList.call(at.context, {}),
    async () => (await holdTemplate(at.context, at.template, "look"))[Symbol.dispose](),
  ];
  for (const look of looks) {
    await Deno.rename(place, aside);
    await look();
    assert.equal((await findTemplate(at.context, "web"))?.digest, at.template.digest);
    assert.deepEqual(await namesIn(files.templates(at.home)), ["web"]);
  }
  await Deno.rename(place, aside);
  await fails(
    store(at, "web"),
    "already_exists",
    'Cannot create template "web": template "web" exists',
  );
  await store(at, "web", { force: true });
  assert.deepEqual(await namesIn(files.templates(at.home)), ["web"]);
  await Deno.rename(place, aside);
  await deleteTemplate(at.context, "web");
  assert.deepEqual(await namesIn(files.templates(at.home)), []);
});
