import assert from "node:assert/strict";
import { join } from "node:path";
import { makeContext } from "../../lib/context.ts";
import { emptyOverlay } from "../../lib/qemu/overlay.ts";
import { listOf } from "../../lib/snapshot/list.ts";
import list from "../../lib/snapshot/list.ts";
import { snapshotLabel, type SnapshotRecord } from "../../lib/snapshot/snapshot.ts";
import { files, snapshotFiles, vmFiles } from "../../lib/store/files.ts";

const MIB = 1 << 20;

/** A home with a VM "web", its disk and its snapshots, each above the layer of its parent. */
async function homeWith(
  snapshots: { label: string; parent?: string; at: string; memory?: boolean }[],
  current?: string,
): Promise<AsyncDisposable & { home: string }> {
  const home = await Deno.realPath(await Deno.makeTempDir({ prefix: "nido-snapshots-" }));
  const base = files.diskImage(home, "sha256:00");
  await Deno.mkdir(files.disk(home, "sha256:00"), { recursive: true });
  await Deno.mkdir(files.layers(home));
  await Deno.mkdir(files.vm(home, "web"), { recursive: true });
  const overlay = emptyOverlay(base, MIB);
  // A disk that stands on nothing: the same bytes without the name of a backing file.
  new DataView(overlay.buffer).setBigUint64(8, 0n);
  new DataView(overlay.buffer).setUint32(16, 0);
  await Deno.writeFile(base, overlay);
  const layer = (label?: string) => label === undefined ? base : files.layer(home, `of-${label}`);
  for (const { label, parent, at, memory } of snapshots) {
    await Deno.writeFile(layer(label), emptyOverlay(layer(parent), MIB));
    const folder = join(files.vm(home, "web"), vmFiles.snapshots, label);
    await Deno.mkdir(folder, { recursive: true });
    const record: SnapshotRecord = {
      schemaVersion: 1,
      label,
      createdAt: at,
      layer: `of-${label}`,
      shape: { cpus: 1, memoryMib: 128, machineType: "pc-q35-7.2", network: "full" },
      memory: memory ? { sizeBytes: MIB, digest: "sha256:00", renews: "clock" } : undefined,
      wasPaused: false,
    };
    if (memory) await Deno.writeFile(join(folder, snapshotFiles.state), new Uint8Array(MIB));
    await Deno.writeTextFile(join(folder, snapshotFiles.record), JSON.stringify(record));
  }
  const vm = {
    schemaVersion: 1,
    id: crypto.randomUUID(),
    createdAt: "2026-01-01T00:00:00.000Z",
    image: { name: "tiny", digest: "sha256:00" },
    architecture: "x86_64",
    firmware: "bios",
    machineType: "pc-q35-7.2",
    cpus: 1,
    memoryMib: 128,
    user: "root",
    network: "full",
    ports: [],
    labels: {},
    hostKey: "",
  };
  await Deno.writeTextFile(join(files.vm(home, "web"), vmFiles.record), JSON.stringify(vm));
  const disk = join(files.vm(home, "web"), vmFiles.disk);
  await Deno.writeFile(disk, emptyOverlay(layer(current), MIB));
  return { home, [Symbol.asyncDispose]: () => Deno.remove(home, { recursive: true }) };
}

const FOREST = [
  { label: "s1", at: "2026-01-01T00:00:01.000Z", memory: true },
  { label: "s2", parent: "s1", at: "2026-01-01T00:00:02.000Z" },
  { label: "other-root", at: "2026-01-01T00:00:03.000Z" },
  { label: "s3", parent: "s1", at: "2026-01-01T00:00:04.000Z" },
  { label: "s4", parent: "s2", at: "2026-01-01T00:00:05.000Z" },
];

Deno.test("a label is a plain name", () => {
  for (const label of ["s1", "a", "before-upgrade", "v1.2_b", "x".repeat(63)]) {
    assert.ok(snapshotLabel.safeParse(label).success, label);
  }
  for (const label of ["", ".", "..", "../x", "a/b", "A", "-a", "a-", "x".repeat(64), "a b", "ä"]) {
    assert.ok(!snapshotLabel.safeParse(label).success, label);
  }
});

Deno.test("snapshots are listed as the tree that their layers are", async () => {
  await using at = await homeWith(FOREST, "s2");
  const { snapshots } = await listOf(makeContext(at.home), "web");
  assert.deepEqual(
    snapshots.map(({ label, parent, current, state }) => [label, parent, current, state]),
    [
      ["s1", undefined, false, "ready"],
      ["s2", "s1", true, "ready"],
      ["s4", "s2", false, "ready"],
      ["s3", "s1", false, "ready"],
      ["other-root", undefined, false, "ready"],
    ],
  );
  const lines = list.text!({ name: "web", snapshots }, makeContext(at.home)).split("\n");
  assert.deepEqual(lines.map((line) => line.replace(/ KiB.*/, "")), [
    "s1  2026-01-01 00:00:01 UTC, memory 1 MiB, disk 256",
    "  s2 *  2026-01-01 00:00:02 UTC, disk 256",
    "    s4  2026-01-01 00:00:05 UTC, disk 256",
    "  s3  2026-01-01 00:00:04 UTC, disk 256",
    "other-root  2026-01-01 00:00:03 UTC, disk 256",
  ]);
});

Deno.test("a broken snapshot is listed as broken, and those above it find their next parent", async () => {
  await using at = await homeWith(FOREST, "s4");
  const folder = join(files.vm(at.home, "web"), vmFiles.snapshots);
  await Deno.writeTextFile(join(folder, "s2", snapshotFiles.record), "{}");
  await Deno.truncate(join(folder, "s1", snapshotFiles.state), 5);
  await Deno.remove(files.layer(at.home, "of-other-root"));
  const { snapshots } = await listOf(makeContext(at.home), "web");
  const seen = Object.fromEntries(snapshots.map(({ label, ...rest }) => [label, rest]));
  assert.equal(seen["s4"]!.parent, "s1");
  assert.equal(seen["s4"]!.current, true);
  assert.deepEqual(seen["s1"]!.problems, [`its memory has 5 bytes instead of ${MIB}`]);
  assert.equal(seen["s2"]!.state, "broken");
  assert.match(seen["s2"]!.problems[0]!, /^Cannot read .*snapshot\.json: schemaVersion: /);
  assert.match(seen["other-root"]!.problems[0]!, /^a layer of its disk can't be read: /);
  assert.equal(snapshots.length, 5);
});

Deno.test("a VM without snapshots says how one is made", async () => {
  await using at = await homeWith([]);
  const result = await listOf(makeContext(at.home), "web");
  assert.deepEqual(result, { name: "web", snapshots: [] });
  assert.equal(
    list.text!(result, makeContext(at.home)),
    '"web" has no snapshots\n  nido snapshot create web',
  );
});
