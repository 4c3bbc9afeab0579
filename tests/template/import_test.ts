import assert from "node:assert/strict";
import { join } from "node:path";
import { run } from "../../lib/host/process.ts";
import { files } from "../../lib/store/files.ts";
import { namesIn } from "../../lib/store/record.ts";
import { deleteTemplate } from "../../lib/template/delete.ts";
import { exportTemplate } from "../../lib/template/export.ts";
import { importTemplate } from "../../lib/template/import.ts";
import { templateNames } from "../../lib/template/template.ts";
import { fails, type Fixture, poke, qemuImg, sha256, writeRaw } from "../image/fixture.ts";
import { cloneOf, withTemplate } from "./fixture.ts";

/** A home without templates, and an export, packed and as its files. */
async function withExport() {
  const at = await withTemplate();
  const file = at.at("web.tar");
  await exportTemplate(at.context, { name: "web", file, force: false });
  await deleteTemplate(at.context, "web");
  await Deno.mkdir(at.at("in"));
  await run("tar", ["-xf", file, "-C", at.at("in")]);
  return Object.assign(at, { file });
}

type Members = Awaited<ReturnType<typeof withExport>>;

const ALL = ["manifest.json", "template.json", "compact.qcow2"];

/** Packs the members again, as a stranger could. */
async function repack(at: Members, names = ALL, flags: string[] = []): Promise<string> {
  await run("tar", ["-cf", at.file, "--format=ustar", "-C", at.at("in"), ...flags, ...names]);
  return at.file;
}

// deno-lint-ignore no-explicit-any
type Json = any;

async function edit(at: Members, name: string, change: (value: Json) => void): Promise<void> {
  const path = join(at.at("in"), name);
  const value = JSON.parse(await Deno.readTextFile(path));
  change(value);
  await Deno.writeTextFile(path, JSON.stringify(value));
}

/** Makes the manifest tell the truth about what the members are now. */
async function promiseAnew(at: Members): Promise<void> {
  const facts = async (name: string) => {
    const path = join(at.at("in"), name);
    return { name, sizeBytes: (await Deno.stat(path)).size, digest: await sha256(path) };
  };
  const disk = await facts("compact.qcow2");
  await edit(at, "template.json", (record) => {
    record.digest = disk.digest;
    record.sizes.compactBytes = disk.sizeBytes;
  });
  const members = [await facts("template.json"), disk];
  await edit(at, "manifest.json", (manifest) => void (manifest.members = members));
}

async function refused(
  at: Fixture,
  file: string,
  code: "integrity" | "invalid_input" | "denied",
  fact: string,
) {
  await fails(
    importTemplate(at.context, { file, force: false }),
    code,
    `Cannot import ${file}: ${fact}`,
  );
  assert.deepEqual(await namesIn(files.templates(at.home)), []);
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
}

Deno.test("what was packed by hand from the same members is imported", async () => {
  await using at = await withExport();
  await promiseAnew(at);
  assert.equal(
    (await importTemplate(at.context, { file: await repack(at), force: false })).name,
    "web",
  );
});

Deno.test("a file that is cut short is refused, wherever it ends", async () => {
  await using at = await withExport();
  const whole = await Deno.readFile(at.file);
  const cases: [number, "integrity" | "invalid_input", string][] = [
    [100, "invalid_input", "it is not an exported template"],
    [700, "integrity", "it is cut short or damaged"],
    [1024, "integrity", "it is cut short: template.json is missing"],
    [1700, "integrity", "it is cut short or damaged"],
    [whole.length - 4096, "integrity", "it is cut short or damaged"],
  ];
  for (const [length, code, fact] of cases) {
    await Deno.writeFile(at.file, whole.subarray(0, length));
    await refused(at, at.file, code, fact);
  }
});

Deno.test("a file of which one byte was altered is refused", async () => {
  await using at = await withExport();
  const whole = await Deno.readFile(at.file);
  const altered = async (offset: number) => {
    await Deno.writeFile(at.file, whole);
    await poke(at.file, offset, [whole[offset]! ^ 0x01]);
    return at.file;
  };
  const differs = (name: string) => `${name} is not what its manifest says: its digest is another`;
  await refused(at, await altered(whole.length - 300_000), "integrity", differs("compact.qcow2"));
  const recordAt = new TextDecoder("latin1").decode(whole).indexOf('"dev"') + 1;
  await refused(at, await altered(recordAt), "integrity", differs("template.json"));
  await refused(at, await altered(3), "invalid_input", "it is not an exported template");
});

Deno.test("foreign files are refused", async () => {
  await using at = await withExport();
  const fact = "it is not an exported template";
  await refused(at, await writeRaw(at.at("disk.img")), "invalid_input", fact);
  await Deno.writeFile(at.at("zero"), new Uint8Array(4096));
  await refused(at, at.at("zero"), "invalid_input", fact);
  await refused(at, await repack(at, ["compact.qcow2"]), "invalid_input", fact);
  await refused(at, await repack(at, ["template.json"]), "invalid_input", fact);
});

Deno.test("members that no template has are refused, before and after the disk", async () => {
  await using at = await withExport();
  await Deno.writeTextFile(at.at("in/evil"), "x");
  const rename = ["--transform=s,evil,../../evil,", "-P"];
  await refused(
    at,
    await repack(at, [...ALL, "evil"], rename),
    "invalid_input",
    'it also holds "../../evil"',
  );
  await refused(
    at,
    await repack(at, ["manifest.json", "evil", ...ALL.slice(1)], rename),
    "invalid_input",
    'it holds "../../evil" instead of template.json',
  );
  await Deno.remove(at.at("in/compact.qcow2"));
  await Deno.symlink("/etc/passwd", at.at("in/compact.qcow2"));
  const fact = '"compact.qcow2" in it is not an ordinary file';
  await refused(at, await repack(at), "invalid_input", fact);
});

Deno.test("a manifest or record that is not a template's is refused", async () => {
  await using at = await withExport();
  const cases: [string, (value: Json) => void, string][] = [
    [
      "template.json",
      (record) => void (record.name = "../x"),
      "its template.json is not a template's: name: use a-z 0-9 . _ - " +
      "(at most 64, beginning with a letter or a digit)",
    ],
    [
      "template.json",
      (record) => void (record.machineType = "pc,firmware=/etc/passwd"),
      "its template.json is not a template's: machineType: " +
      "it is no machine type of QEMU",
    ],
    [
      "template.json",
      (record) => void (record.schemaVersion = 2),
      "its schemaVersion is 2, and this Nido knows 1",
    ],
  ];
  for (const [name, change, fact] of cases) {
    const kept = await Deno.readTextFile(at.at(`in/${name}`));
    await edit(at, name, change);
    await promiseAnew(at);
    await refused(at, await repack(at), "invalid_input", fact);
    await Deno.writeTextFile(at.at(`in/${name}`), kept);
  }
  await promiseAnew(at);
  const bytes = (await Deno.stat(at.at("in/compact.qcow2"))).size;
  await edit(at, "manifest.json", ({ members }) => void members[0].sizeBytes--);
  const size = (await Deno.stat(at.at("in/template.json"))).size;
  await refused(
    at,
    await repack(at),
    "integrity",
    `template.json has ${size} bytes, and its manifest says ${size - 1}`,
  );
  await promiseAnew(at);
  await edit(at, "manifest.json", ({ members }) => void (members[1].sizeBytes = bytes + 1));
  await refused(at, await repack(at), "integrity", "its template.json tells of another disk");
  await promiseAnew(at);
  await edit(at, "manifest.json", ({ members }) => void (members[1].name = "../../disk"));
  const fact = "its manifest.json is not a template's: members.1.name: " +
    'Invalid input: expected "compact.qcow2"';
  await refused(at, await repack(at), "invalid_input", fact);
});

Deno.test("a disk that reads other files of this host is refused", async () => {
  await using at = await withExport();
  const disk = at.at("in/compact.qcow2");
  await Deno.remove(disk);
  await qemuImg("create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", disk, "1M");
  await promiseAnew(at);
  await refused(
    at,
    await repack(at),
    "denied",
    'it has a backing file ("/etc/passwd"), which could leak files of this host',
  );
  await Deno.remove(disk);
  const data = at.at("data.raw");
  await qemuImg("create", "-q", "-f", "qcow2", "-o", `data_file=${data}`, disk, "1M");
  await promiseAnew(at);
  await refused(
    at,
    await repack(at),
    "denied",
    `it keeps its data in another file ("${data}"), which could leak files of this host`,
  );
});

Deno.test("an import replaces only with force, and never what clones stand on", async () => {
  await using at = await withExport();
  const { file } = at;
  const attempt = (force: boolean) => importTemplate(at.context, { file, force });
  const { diskPath } = await attempt(false);
  await fails(
    attempt(false),
    "already_exists",
    `Cannot import ${file}: template "web" exists`,
    `nido template import ${file} --force`,
  );
  await attempt(true);
  await cloneOf(at.home, "dev", diskPath);
  await fails(attempt(true), "in_use", `Cannot import ${file}: in use by dev`);
  assert.deepEqual(await templateNames(at.home), ["web"]);
});
