import assert from "node:assert/strict";
import { ARCH, BOOKWORM, people, Registry, SOURCES, told } from "./registry_folder.ts";
import { digestOf, site, siteBut } from "./site.ts";

Deno.test("a source that fails keeps what was known, marked, and only for its first day", async () => {
  using registry = new Registry();
  await registry.build();
  const good = registry.catalog;
  const broken = siteBut({ [BOOKWORM]: undefined });
  const reason = `Cannot fetch ${BOOKWORM}: the server answers 404`;

  const first = await registry.build(broken);
  assert.deepEqual(told(first), [
    `debian:12 x86_64: ${reason}`,
    `debian:12 aarch64: ${reason}`,
  ]);
  assert.deepEqual(people(first), []);
  assert.deepEqual(
    first.diff,
    ["aarch64", "x86_64"].map((word) =>
      `+ debian:12 ${word} stale {"since":"2026-11-24","reason":"${reason}"}`
    ),
  );
  const stale = registry.text;
  const [, debian] = registry.catalog.images;
  const { stale: mark, ...build } = debian!.versions[0]!.builds.x86_64!;
  assert.deepEqual(build, good.images[1]!.versions[0]!.builds.x86_64);
  assert.deepEqual(mark, { since: "2026-11-24", reason });

  for (let day = 2; day < 8; day++) {
    const outcome = await registry.build(broken);
    assert.deepEqual([outcome.changed, people(outcome)], [false, []], `day ${day}`);
  }
  assert.equal(registry.text, stale);
  const late = await registry.build(broken);
  assert.deepEqual(people(late), told(late), "after a week a person has to look");
  assert.equal(registry.text, stale);

  const mended = await registry.build();
  assert.deepEqual(mended.problems, []);
  assert.deepEqual(registry.catalog.images, good.images);
});

Deno.test("a source that fails from the beginning needs a person, and has its recipe", async () => {
  using registry = new Registry();
  const outcome = await registry.build(siteBut({ [BOOKWORM]: undefined }));
  assert.equal(people(outcome).length, 2);
  const [, debian] = registry.catalog.images;
  assert.deepEqual(debian!.versions, [
    { version: "12", aliases: ["bookworm"], builds: {}, recipe: "debian-12" },
  ]);
});

const sums = (names: string[], digest = (name: string) => digestOf(name, "sha512")) =>
  names.map((name) => `${digest(name).slice(7)}  ${name}\n`).join("");
const cloud = (word: string, serial: string) => `debian-12-genericcloud-${word}-${serial}.qcow2`;

Deno.test("a digest that changed under its address isn't taken, until a person does", async () => {
  using registry = new Registry();
  await registry.build();
  const known = registry.catalog.images[1]!.versions[0]!.builds.x86_64!;
  const other = digestOf("other", "sha512");
  const name = cloud("amd64", "20260712-2537");
  const changed = siteBut({
    [`${BOOKWORM}20260712-2537/SHA512SUMS`]: sums([name], () => other),
  });
  const problem = `its digest changed under an unchanged address, to ${other}`;
  const outcome = await registry.build(changed);
  assert.deepEqual(people(outcome), [`debian:12 x86_64: ${problem}`]);
  const held = registry.catalog.images[1]!.versions[0]!.builds.x86_64!;
  assert.deepEqual(held, { ...known, stale: { since: "2026-11-24", reason: problem } });

  const accepted = await registry.build(changed, { accept: ["debian:12"] });
  assert.deepEqual(accepted.problems, []);
  assert.deepEqual(registry.catalog.images[1]!.versions[0]!.builds.x86_64, {
    ...known,
    digest: other,
  });
});

Deno.test("a build goes forward, never back, until a person says so", async () => {
  using registry = new Registry();
  await registry.build();
  const newer = cloud("amd64", "20260712-10000");
  const forward = siteBut({
    [BOOKWORM]: '<a href="20260712-10000/">x</a><a href="20260706-2531/">y</a>',
    [`${BOOKWORM}20260712-10000/SHA512SUMS`]: sums([newer]),
  });
  const outcome = await registry.build(forward);
  assert.deepEqual(outcome.problems, []);
  assert.equal(
    registry.catalog.images[1]!.versions[0]!.builds.x86_64!.digest,
    digestOf(newer, "sha512"),
  );

  const older = cloud("amd64", "20260712-2537");
  const problem = `its source goes back to ${BOOKWORM}20260712-2537/${older}`;
  const back = await registry.build();
  assert.deepEqual(people(back), [`debian:12 x86_64: ${problem}`]);
  const held = registry.catalog.images[1]!.versions[0]!.builds.x86_64!;
  assert.equal(held.digest, digestOf(newer, "sha512"));
  assert.equal(held.stale!.reason, problem);

  const accepted = await registry.build(site, { accept: ["debian"] });
  assert.deepEqual(accepted.problems, []);
  assert.equal(
    registry.catalog.images[1]!.versions[0]!.builds.x86_64!.digest,
    digestOf(older, "sha512"),
  );
});

Deno.test("a publisher that has only the newest version replaces it, and doesn't go back", async () => {
  using registry = new Registry();
  await registry.build();
  const at = (build: string) => ({
    [ARCH]: `<a href="v${build}/">x</a>`,
    [`${ARCH}v${build}/Arch-Linux-x86_64-cloudimg-${build}.qcow2.SHA256`]: `${
      "a".repeat(64)
    }  Arch-Linux-x86_64-cloudimg-${build}.qcow2\n`,
  });
  const versions = () => registry.catalog.images[0]!.versions.map(({ version }) => version);

  const forward = await registry.build(siteBut(at("20260801.600000")));
  assert.deepEqual([forward.problems, versions()], [[], ["20260801.600000"]]);
  const back = await registry.build(siteBut(at("20260715.1")));
  assert.deepEqual(people(back), [
    "arch:20260801.600000: its source goes back from 20260801.600000 to 20260715.1",
  ]);
  assert.deepEqual(versions(), ["20260801.600000"]);
  const accepted = await registry.build(siteBut(at("20260715.1")), { accept: ["arch"] });
  assert.deepEqual([accepted.problems, versions()], [[], ["20260715.1"]]);
});

Deno.test("an architecture, a version and an image go when a person says so", async () => {
  const both = SOURCES.replace('{ "12": bookworm }', '{ "12": bookworm, "11": bullseye }');
  using registry = new Registry(both);
  const eleven = "debian-11-genericcloud-amd64-20260101-1.qcow2";
  const bullseye = "https://cloud.debian.org/images/cloud/bullseye/";
  const first = await registry.build(siteBut({
    [bullseye]: '<a href="20260101-1/">x</a>',
    [`${bullseye}20260101-1/SHA512SUMS`]: sums([eleven]),
  }));
  assert.deepEqual(told(first), [
    `debian:11 aarch64: Cannot find a build for arm64 in ${bullseye}`,
  ]);

  registry.write(
    "sources.yaml",
    SOURCES.replace("    variant", "    architectures: [x86_64]\n    variant"),
  );
  const gone = await registry.build();
  assert.deepEqual(people(gone), [
    "debian:12 aarch64: its source no longer offers it",
    "debian:11: its source no longer has this version",
  ]);
  const debian = () => registry.catalog.images.find(({ name }) => name === "debian");
  const shape = () =>
    debian()?.versions.map(({ version, builds }) => [version, ...Object.keys(builds)]);
  assert.deepEqual(shape(), [["12", "x86_64", "aarch64"], ["11", "x86_64"]]);
  assert.equal(debian()!.versions[1]!.builds.x86_64!.stale!.since, "2026-11-24");

  const accepted = await registry.build(site, { accept: ["debian:11", "debian:12"] });
  assert.deepEqual(accepted.problems, []);
  assert.deepEqual(shape(), [["12", "x86_64"]]);

  const [head, , arch] = SOURCES.split(/(?= {2}- name)/);
  registry.write("sources.yaml", `${head}${arch}`);
  const orphan = await registry.build();
  assert.deepEqual(people(orphan), ["debian: it has no source any more"]);
  assert.deepEqual(shape(), [["12", "x86_64"]]);
  await registry.build(site, { accept: ["debian"] });
  assert.equal(debian(), undefined);
});

Deno.test("an alias is the newest version's that claims it, and a version's name its own", async () => {
  using registry = new Registry(
    SOURCES.replace(
      '{ "12": { recipe: debian-12 } }',
      '{ "12": { recipe: debian-12, aliases: [stable, latest, "11"] }, "11": { recipe: x, aliases: [stable, old] } }',
    ),
  );
  await registry.build();
  assert.deepEqual(
    registry.catalog.images[1]!.versions.map(({ version, aliases }) => [version, aliases]),
    [["12", ["bookworm", "stable"]], ["11", ["old"]]],
  );
});

Deno.test("a release that sources.yaml tells of and nobody offers is told", async () => {
  using registry = new Registry(
    SOURCES.replace("{ recipe: debian-12 } }", '{ recipe: debian-12 }, "1.2": { user: x } }'),
  );
  assert.deepEqual(people(await registry.build()), [
    "debian:1.2: sources.yaml tells of it under releases, its source has no such version",
  ]);
});

Deno.test("a version is named by a word, or there is none", async () => {
  using registry = new Registry();
  await registry.build();
  const known = registry.catalog.images[0]!;
  const build = `${"2".repeat(8)}.${"2".repeat(40)}`;
  const name = `Arch-Linux-x86_64-cloudimg-${build}.qcow2`;
  const outcome = await registry.build(siteBut({
    [ARCH]: `<a href="v${build}/">x</a>`,
    [`${ARCH}v${build}/${name}.SHA256`]: `${"a".repeat(64)}  ${name}\n`,
  }));
  assert.deepEqual(people(outcome), [
    `arch: its source names a version "${build}"`,
    "arch:20260715.556894: its source no longer has this version",
  ]);
  assert.equal(registry.catalog.images[0]!.versions[0]!.version, known.versions[0]!.version);
});
