import assert from "node:assert/strict";
import { join } from "node:path";
import { commandLines } from "../../lib/host/process.ts";
import { readQcow2 } from "../../lib/image/qcow2.ts";
import { buildFromPackages } from "../../lib/recipe/debian_packages.ts";
import { archiveKeyring } from "../../lib/recipe/debian_packages/programs.ts";
import { namesIn } from "../../lib/store/record.ts";
import { fails, qemuImg } from "../image/fixture.ts";
import { cannotBuild, MAKE_ARCHIVE, packagesRecipe, workshop } from "./workshop.ts";

const ignore = cannotBuild;

Deno.test({ name: "a host that can't build says so", ignore }, async () => {
  await using at = await workshop();
  const build = (host: Partial<typeof at.host>) =>
    buildFromPackages(at.context, packagesRecipe(), at.folder, { ...at.host, ...host });
  const cannot = "Cannot build from the recipe mine: that is done on Debian and its like";
  const hint = "nido image import FILE";
  const elsewhere = { os: "darwin", arch: "aarch64" } as const;
  await fails(
    build(elsewhere),
    "host_missing",
    `${cannot} on x86_64, and this is darwin on aarch64`,
    hint,
  );
  await fails(
    build({ arch: "aarch64" }),
    "host_missing",
    `${cannot} on x86_64, and this is linux on aarch64`,
    hint,
  );
  await Deno.remove(join(at.bin, "apt-get"));
  await fails(
    build({ programFolders: [at.bin] }),
    "host_missing",
    `${cannot}, and this host has no apt-get`,
    hint,
  );
  assert.deepEqual(await at.calls(), []);
});

Deno.test(
  { name: "all that is missing is named, with the command that brings it", ignore },
  async () => {
    await using at = await workshop();
    await Deno.remove(join(at.bin, "mmdebstrap"));
    const host = { ...at.host, programFolders: [at.bin], superuser: true };
    const build = (parts: Partial<typeof host>) =>
      buildFromPackages(at.context, packagesRecipe(), at.folder, { ...host, ...parts });
    const cannot = "Cannot build from the recipe mine:";
    await fails(
      build({}),
      "host_missing",
      `${cannot} mke2fs, mmdebstrap, qemu-img, setpriv, tar, unshare are not installed`,
      "apt-get install -y e2fsprogs mmdebstrap qemu-utils tar util-linux",
    );
    for (const name of ["mke2fs", "qemu-img", "setpriv", "tar", "unshare"]) {
      await at.addProgram(name, "exit 0");
    }
    await fails(
      build({}),
      "host_missing",
      `${cannot} mmdebstrap is not installed`,
      "apt-get install -y mmdebstrap",
    );
    await fails(
      build({ superuser: false }),
      "host_missing",
      `${cannot} mmdebstrap, newuidmap are not installed`,
      "sudo apt-get install -y mmdebstrap uidmap",
    );
    assert.ok(await Deno.stat(archiveKeyring));
  },
);

const FAULTS: [what: string, told: string, code: Parameters<typeof fails>[1], fact: string][] = [
  [
    "a mirror that can't be reached",
    "E: Failed to fetch http://m.example.org/debian/dists/x/InRelease  Could not resolve 'm'\n" +
    "E: apt-get update failed\nE: mmdebstrap failed to run",
    "unavailable",
    "http://m.example.org can't be used: Could not resolve 'm'",
  ],
  [
    "a release that is not there",
    "E: The repository 'http://m.example.org/debian nosuch Release' does not have a Release file.",
    "invalid_input",
    "there is no release at http://m.example.org/debian nosuch",
  ],
  [
    "a package that is not there",
    "Reading package lists...\nE: Unable to locate package lesss\nE: mmdebstrap failed to run",
    "invalid_input",
    "no package lesss",
  ],
  [
    "an archive that nobody signed",
    "E: The repository 'http://m.example.org x InRelease' is not signed.",
    "integrity",
    "The repository 'http://m.example.org x InRelease' is not signed",
  ],
  ["a full disk", "E: write failed: No space left on device", "exhausted", "the disk filled up"],
  [
    "what is not known",
    "E: setup failed: odd",
    "tool_failed",
    "mmdebstrap failed: setup failed: odd",
  ],
  [
    "a program that says nothing",
    "",
    "tool_failed",
    "mmdebstrap failed: it ended with exit code 25",
  ],
];

for (const [what, told, code, fact] of FAULTS) {
  Deno.test({ name: `why mmdebstrap failed is told: ${what}`, ignore }, async () => {
    await using at = await workshop(`cat >&2 <<'END'\n${told}\nEND\nexit 25`);
    const building = buildFromPackages(at.context, packagesRecipe(), at.folder, at.host);
    const error = await fails(building, code, `Cannot build from the recipe mine: ${fact}`);
    assert.equal(error.details?.recipe, "mine");
    assert.equal(error.details?.exitCode, 25);
    if (code === "unavailable") {
      const hint = "name another mirror: nido image build mine --mirror https://...";
      assert.equal(error.hint, hint);
    }
  });
}

Deno.test({ name: "packages, release and mirror come from the recipe", ignore }, async () => {
  await using at = await workshop("exit 1");
  const mirror = "http://mirror.example.org/debian/";
  const recipe = packagesRecipe({ release: "trixie", packages: ["less", "udev"], mirror });
  await assert.rejects(buildFromPackages(at.context, recipe, at.folder, at.host));
  const [words = []] = await at.calls();
  const included = words.find((word) => word.startsWith("--include="))!.slice(10).split(",");
  assert.ok(included.includes("less") && included.includes("cloud-init"));
  assert.equal(included.filter((name) => name === "udev").length, 1);
  assert.equal(words[0], Deno.uid() === 0 ? "--mode=root" : "--mode=unshare");
  assert.deepEqual(words.slice(-3), [
    "trixie",
    join(at.folder, "root.tar"),
    "deb http://mirror.example.org/debian trixie main",
  ]);
});

Deno.test({ name: "a day's packages come from a mirror of days", ignore }, async () => {
  await using at = await workshop("exit 1");
  for (const mirror of [undefined, "http://days.example.org"]) {
    const recipe = packagesRecipe({ mirror, snapshot: "2026-01-31" });
    await assert.rejects(buildFromPackages(at.context, recipe, at.folder, at.host));
    const place = mirror ?? "https://snapshot.debian.org";
    const source = `deb [check-valid-until=no] ${place}/archive`;
    assert.deepEqual((await at.calls()).at(-1)!.slice(-2), [
      `${source}/debian/20260131T000000Z bookworm main`,
      `${source}/debian-security/20260131T000000Z bookworm-security main`,
    ]);
  }
});

Deno.test({ name: "the mirror is the one that this system's apt has", ignore }, async () => {
  await using at = await workshop('env >"$0.env"; exit 1');
  await at.addProgram(
    "apt-get",
    `[ "$1" = indextargets ] && cat <<'END'
Other|Debian|main|bookworm|http://evil.example.org/
Debian|Debian|contrib|bookworm|http://contrib.example.org/
Debian|Debian|main|bookworm-updates|http://updates.example.org/debian/
Debian|Debian|main|bookworm|mirror+file:${at.folder}/list
Debian|Debian-Security|main|bookworm-security|http://security.example.org/
END`,
  );
  await at.addProgram(
    "apt-config",
    `case $3 in *http::*) echo "PROXY='http://proxy:3128'" ;; esac`,
  );
  await Deno.writeTextFile(join(at.folder, "list"), "# mine\nhttp://list.example.org/debian\n");
  const recipe = packagesRecipe({ mirror: undefined });
  await assert.rejects(buildFromPackages(at.context, recipe, at.folder, at.host));
  assert.deepEqual((await at.calls())[0]!.slice(-3), [
    "deb http://list.example.org/debian bookworm main",
    "deb http://updates.example.org/debian bookworm-updates main",
    "deb http://security.example.org bookworm-security main",
  ]);
  const env = await Deno.readTextFile(join(at.bin, "mmdebstrap.env"));
  assert.match(env, /^http_proxy=http:\/\/proxy:3128$/m);
});

Deno.test({ name: "where apt knows no Debian mirror, one is asked for", ignore }, async () => {
  await using at = await workshop();
  const recipe = packagesRecipe({ mirror: undefined });
  const build = () => buildFromPackages(at.context, recipe, at.folder, at.host);
  const hint = "name a mirror: --mirror https://...";
  await fails(
    build(),
    "unavailable",
    "Cannot build from the recipe mine: this system's apt knows no Debian mirror",
    `apt-get update, or ${hint}`,
  );
  await at.addProgram("apt-get", "echo 'Debian|Debian|main|bookworm|cdrom:[Debian]/'");
  await fails(
    build(),
    "unavailable",
    "Cannot build from the recipe mine: this system's Debian mirror is no web address " +
      "(cdrom:[Debian]/)",
    hint,
  );
});

Deno.test(
  { name: "what mmdebstrap makes becomes a disk with its files and a boot loader", ignore },
  async () => {
    await using at = await workshop(`echo 'I: extracting archives...' >&2\n${MAKE_ARCHIVE}`);
    const image = await buildFromPackages(at.context, packagesRecipe(), at.folder, at.host);
    assert.equal(image, join(at.folder, "image.qcow2"));
    assert.equal((await readQcow2(image)).virtualSizeBytes, 2 ** 30);
    assert.deepEqual(at.told.slice(0, 2), ["extracting archives", "writing the root file system"]);
    assert.deepEqual(await namesIn(at.folder), ["boot.img", "core.img", "image.qcow2"]);
    const raw = join(at.folder, "raw");
    await qemuImg("convert", "-f", "qcow2", "-O", "raw", image, raw);
    using disk = await Deno.open(raw);
    const bytes = async (offset: number, count: number) => {
      const read = new Uint8Array(count);
      await disk.seek(offset, Deno.SeekMode.Start);
      await disk.read(read);
      return new TextDecoder("latin1").decode(read);
    };
    assert.equal(await bytes(0, 4), "bbbb");
    assert.equal(await bytes(510, 2), "\x55\xaa");
    assert.equal(await bytes(512, 8), "EFI PART");
    assert.equal(await bytes(2 ** 20, 4), "cccc");
    const listing = await debugfs(`${raw}?offset=${2 * 2 ** 20}`, "cat /etc/hostname");
    assert.equal(listing, "guest\n");
  },
);

Deno.test({ name: "an interrupted build ends all that it started", ignore }, async () => {
  await using at = await workshop(
    'sleep 300 & echo "$$ $!" >"$0.new"; mv "$0.new" "$0.pids"; wait',
  );
  const stop = new AbortController();
  const context = { ...at.context, signal: stop.signal };
  const building = buildFromPackages(context, packagesRecipe(), at.folder, at.host);
  building.catch(() => {});
  const pids = await pidsIn(join(at.bin, "mmdebstrap.pids"));
  assert.equal((await commandLines(pids)).size, 2);
  stop.abort();
  await assert.rejects(building, { name: "AbortError" });
  assert.equal((await commandLines(pids)).size, 0);
});

async function debugfs(disk: string, request: string): Promise<string> {
  const { stdout } = await new Deno.Command("/usr/sbin/debugfs", { args: ["-R", request, disk] })
    .output();
  return new TextDecoder().decode(stdout);
}

async function pidsIn(path: string): Promise<number[]> {
  for (let left = 1000;; left--) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text) return text.trim().split(" ").map(Number);
    assert.ok(left > 0, "it said nothing");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
