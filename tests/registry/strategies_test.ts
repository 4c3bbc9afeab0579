import assert from "node:assert/strict";
import { type Found, foundOrThrow } from "./found.ts";
import { readSources } from "../../registry/builder/read_sources.ts";
import { strategies } from "../../registry/builder/strategies.ts";
import type { Fetch } from "../../registry/builder/fetch.ts";
import { digestOf, site, siteBut, SOURCES } from "./site.ts";

const shipped = await readSources(await Deno.readTextFile(SOURCES), "sources.yaml");

/** What a shipped source finds, with some of its options changed. */
async function discover(name: string, parts: Record<string, unknown> = {}, fetch: Fetch = site) {
  const source = shipped.find((one) => one.name === name)!;
  return await strategies[source.strategy].discover({ ...source, ...parts } as never, fetch);
}

/** Every build that was found, by version and architecture. */
async function found(...given: Parameters<typeof discover>): Promise<Record<string, Found>> {
  return foundOrThrow(await discover(...given));
}

/** The plain case: each file has the digest of its own name. */
function builds(
  files: Record<string, string>,
  rest: (name: string) => Record<string, unknown> = () => ({}),
) {
  return Object.fromEntries(
    Object.entries(files).map(([key, url]) => {
      const name = url.slice(url.lastIndexOf("/") + 1);
      return [key, { url, digest: digestOf(name), ...rest(name) }];
    }),
  );
}

Deno.test("ubuntu: the newest release of each supported version, not the daily one, nor amd64v3", async () => {
  const at = "https://cloud-images.ubuntu.com/releases/server/releases";
  const build = (version: string, code: string, serial: string, word: string, day: string) => ({
    url: `${at}/${code}/release-${serial}/ubuntu-${version}-server-cloudimg-${word}.img`,
    digest: digestOf(`ubuntu-${version}-${serial}-${word}.img`),
    sizeBytes: 1000 + serial.length,
    builtAt: `${day}T00:00:00Z`,
  });
  assert.deepEqual(await found("ubuntu"), {
    "26.04 x86_64": build("26.04", "resolute", "20260720", "amd64", "2026-07-20"),
    "26.04 aarch64": build("26.04", "resolute", "20260720", "arm64", "2026-07-20"),
    "24.04 x86_64": build("24.04", "noble", "20260615.1", "amd64", "2026-06-15"),
    "24.04 aarch64": build("24.04", "noble", "20260615.1", "arm64", "2026-06-15"),
  });
  const versions = await discover("ubuntu", { keep: 1 });
  assert.deepEqual(versions.map(({ version, aliases }) => [version, aliases]), [
    ["26.04", ["lts", "resolute"]],
  ]);
});

Deno.test("ubuntu: a path that leads out of the publisher's folder is refused", async () => {
  const address = "https://cloud-images.ubuntu.com/releases/streams/v1/" +
    "com.ubuntu.cloud:released:download.json";
  const { text } = await site(address);
  for (const path of ["https://evil.example/x.img", "//evil.example/x.img", "../../x.img"]) {
    const changed = text.replace(
      /server\/releases\/resolute\/release-20260720\/[^"]*amd64.img/,
      path,
    );
    assert.notEqual(changed, text);
    const [version] = await discover("ubuntu", {}, siteBut({ [address]: changed }));
    const { builds } = version!;
    assert.deepEqual(builds.x86_64, {
      failed: `Cannot use ${JSON.stringify(path)}: ` +
        "it is not below https://cloud-images.ubuntu.com/releases/",
    });
    assert.ok(builds.aarch64 && "url" in builds.aarch64);
  }
});

Deno.test("debian: the newest dated folder that has the architecture, file and digest from one", async () => {
  const build = (serial: string, word: string, day: string) => {
    const name = `debian-12-genericcloud-${word}-${serial}.qcow2`;
    return {
      url: `https://cloud.debian.org/images/cloud/bookworm/${serial}/${name}`,
      digest: digestOf(name, "sha512"),
      builtAt: `${day}T00:00:00Z`,
    };
  };
  assert.deepEqual(await found("debian", { codenames: { "12": "bookworm" } }), {
    "12 x86_64": build("20260712-2537", "amd64", "2026-07-12"),
    "12 aarch64": build("20260706-2531", "arm64", "2026-07-06"),
  });
  const [version] = await discover("debian", { codenames: { "12": "bookworm" } });
  assert.deepEqual(version!.aliases, ["bookworm"]);
});

Deno.test("debian: a release that can't be read takes no other with it", async () => {
  const [twelve, thirteen] = await discover("debian");
  assert.equal(twelve!.version, "12");
  assert.ok("url" in twelve!.builds.x86_64!);
  assert.deepEqual(thirteen!.builds.x86_64, {
    failed: "Cannot fetch https://cloud.debian.org/images/cloud/trixie/: the server answers 404",
  });
});

Deno.test("alpine: 3.20.10 is newer than 3.20.9, r1 than r0; one image for each firmware", async () => {
  const build = (branch: string, build: string) => {
    const name = `nocloud_alpine-${build}.qcow2`;
    const folder = `https://dl-cdn.alpinelinux.org/alpine/v${branch}/releases/cloud/`;
    return { url: folder + name, digest: digestOf(name, "sha512") };
  };
  assert.deepEqual(await found("alpine", { keep: 2 }), {
    "3.21 x86_64": build("3.21", "3.21.7-x86_64-bios-cloudinit-r0"),
    "3.21 aarch64": build("3.21", "3.21.7-aarch64-uefi-cloudinit-r0"),
    "3.20 x86_64": build("3.20", "3.20.10-x86_64-bios-cloudinit-r1"),
    "3.20 aarch64": build("3.20", "3.20.10-aarch64-uefi-cloudinit-r1"),
  });
  const uefi = await found("alpine", { keep: 1, firmware: { x86_64: "uefi", aarch64: "uefi" } });
  assert.deepEqual(uefi["3.21 x86_64"], build("3.21", "3.21.7-x86_64-uefi-cloudinit-r0"));
});

Deno.test("fedora: integer versions by number, no beta, no UKI, no other architecture", async () => {
  const at = "https://download.fedoraproject.org/pub/fedora/linux/releases";
  const name = (build: string) => `Fedora-Cloud-Base-Generic-${build}.qcow2`;
  assert.deepEqual(
    await found("fedora", { keep: 2 }),
    builds({
      "44 x86_64": `${at}/44/Cloud/x86_64/images/${name("44-1.7.x86_64")}`,
      "44 aarch64": `${at}/44/Cloud/aarch64/images/${name("44-1.7.aarch64")}`,
      "43 x86_64": `${at}/43/Cloud/x86_64/images/${name("43-1.6.x86_64")}`,
      "43 aarch64": `${at}/43/Cloud/aarch64/images/${name("43-1.6.aarch64")}`,
    }, (name) => ({ sizeBytes: 500_000_000 + name.length })),
  );
});

Deno.test("centos-stream: the newest dated build, of the product that the firmware boots", async () => {
  const at = "https://cloud.centos.org/centos/9-stream";
  const expected = (product: string) =>
    builds({
      "9 x86_64": `${at}/x86_64/images/CentOS-Stream-${product}-20260714.1.x86_64.qcow2`,
      "9 aarch64": `${at}/aarch64/images/CentOS-Stream-GenericCloud-9-20260714.1.aarch64.qcow2`,
    }, (name) => ({ sizeBytes: name.length * 1000, builtAt: "2026-07-14T00:00:00Z" }));
  const bios = await found("centos-stream", { wanted: ["9"] });
  assert.deepEqual(bios, expected("GenericCloud-9"));
  const firmware = { x86_64: "uefi", aarch64: "uefi" };
  const uefi = await found("centos-stream", { wanted: ["9"], firmware });
  assert.deepEqual(uefi, expected("GenericCloud-x86_64-9"));
});

Deno.test("rocky: the highest minor release by number, and Base only", async () => {
  const at = "https://dl.rockylinux.org/pub/rocky";
  const image = (minor: string, architecture: string) =>
    `${at}/${minor}/images/${architecture}/Rocky-${minor.split(".")[0]}-GenericCloud-Base-` +
    `${minor}-20260525.0.${architecture}.qcow2`;
  assert.deepEqual(
    await found("rocky"),
    builds({
      "10 x86_64": image("10.2", "x86_64"),
      "10 aarch64": image("10.2", "aarch64"),
      "9 x86_64": image("9.10", "x86_64"),
      "9 aarch64": image("9.10", "aarch64"),
    }, (name) => ({ sizeBytes: name.length * 1000, builtAt: "2026-05-25T00:00:00Z" })),
  );
  const versions = await discover("rocky");
  assert.deepEqual(versions.map(({ aliases }) => aliases), [["10.2"], ["9.10"]]);
});

Deno.test("alma: 9.10 is newer than 9.9, in the folder of the minor release, x86_64_v2 where wanted", async () => {
  const at = "https://repo.almalinux.org/almalinux";
  const image = (build: string, word: string) =>
    `${at}/${build.split("-")[0]}/cloud/${word}/images/AlmaLinux-${build.split(".")[0]}-` +
    `GenericCloud-${build}.${word}.qcow2`;
  assert.deepEqual(
    await found("almalinux"),
    builds({
      "10 x86_64": image("10.2-20260526.0", "x86_64_v2"),
      "10 aarch64": image("10.2-20260526.0", "aarch64"),
      "9 x86_64": image("9.10-20260526", "x86_64"),
      "9 aarch64": image("9.10-20260526", "aarch64"),
    }, () => ({ builtAt: "2026-05-26T00:00:00Z" })),
  );
});

Deno.test("opensuse: Leap's builds by number, with one space in the digest's file", async () => {
  const at = "https://download.opensuse.org/distribution/leap/16.0/appliances";
  assert.deepEqual(
    await found("opensuse-leap"),
    builds({
      "16.0 x86_64": `${at}/Leap-16.0-Minimal-VM.x86_64-Cloud-Build18.10.qcow2`,
      "16.0 aarch64": `${at}/Leap-16.0-Minimal-VM.aarch64-Cloud-Build18.10.qcow2`,
    }, (name) => ({ sizeBytes: 300_000_000 + name.length })),
  );
});

Deno.test("opensuse: each architecture of Tumbleweed has its own snapshot, the newer one names it", async () => {
  const at = "https://download.opensuse.org";
  const image = (word: string, snapshot: string) =>
    `openSUSE-Tumbleweed-Minimal-VM.${word}-1.0.0-Cloud-Snapshot${snapshot}.qcow2`;
  const days: Record<string, string> = { x86_64: "2026-08-06", aarch64: "2026-08-04" };
  assert.deepEqual(
    await found("opensuse-tumbleweed"),
    builds({
      "20260806 x86_64": `${at}/tumbleweed/appliances/${image("x86_64", "20260806")}`,
      "20260806 aarch64": `${at}/ports/aarch64/tumbleweed/appliances/${
        image("aarch64", "20260804")
      }`,
    }, (name) => ({
      sizeBytes: 300_000_000 + name.length,
      builtAt: `${days[/x86_64|aarch64/.exec(name)![0]]}T00:00:00Z`,
    })),
  );
});

Deno.test("arch: the newest dated folder by number, never latest", async () => {
  const at = "https://geo.mirror.pkgbuild.com/images/v20260715.556894";
  assert.deepEqual(
    await found("arch"),
    builds({
      "20260715.556894 x86_64": `${at}/Arch-Linux-x86_64-cloudimg-20260715.556894.qcow2`,
    }, () => ({ builtAt: "2026-07-15T00:00:00Z" })),
  );
});

Deno.test("kali: 2026.10 is newer than 2026.2; the archive, not its torrent", async () => {
  const at = "https://kali.download/cloud-images/kali-2026.10";
  assert.deepEqual(
    await found("kali"),
    builds({
      "2026.10 x86_64": `${at}/kali-linux-2026.10-cloud-genericcloud-amd64.tar.xz`,
      "2026.10 aarch64": `${at}/kali-linux-2026.10-cloud-genericcloud-arm64.tar.xz`,
    }),
  );
});

Deno.test("freebsd: the newest release, no candidate, in its two words for an architecture", async () => {
  const at = "https://download.freebsd.org/releases/VM-IMAGES/15.1-RELEASE";
  const image = (word: string) => `FreeBSD-15.1-RELEASE-${word}-BASIC-CLOUDINIT-ufs.qcow2.xz`;
  assert.deepEqual(
    await found("freebsd"),
    builds({
      "15 x86_64": `${at}/amd64/Latest/${image("amd64")}`,
      "15 aarch64": `${at}/aarch64/Latest/${image("arm64-aarch64")}`,
    }),
  );
});

Deno.test("cirros: 0.6.10 is newer than 0.6.3; ./ before a name is no part of it", async () => {
  const at = "https://download.cirros-cloud.net/0.6.10";
  assert.deepEqual(
    await found("cirros"),
    builds({
      "0.6.10 x86_64": `${at}/cirros-0.6.10-x86_64-disk.img`,
      "0.6.10 aarch64": `${at}/cirros-0.6.10-aarch64-disk.img`,
    }),
  );
});

Deno.test("oracle: names and digests come from its own index", async () => {
  const at = "https://yum.oracle.com/templates/OracleLinux/OL9/u8";
  assert.deepEqual(
    await found("oracle", { wanted: ["9"] }),
    builds({
      "9 x86_64": `${at}/x86_64/OL9U8_x86_64-kvm-b293.qcow2`,
      "9 aarch64": `${at}/aarch64/OL9U8_aarch64-kvm-cloud-b182.qcow2`,
    }),
  );
});

Deno.test("amazon: where latest/ leads to is the version", async () => {
  const at = "https://cdn.amazonlinux.com/al2023/os-images/2023.11.20260406.2";
  const image = (word: string) => `al2023-kvm-2023.11.20260406.2-kernel-6.1-${word}.xfs.gpt.qcow2`;
  assert.deepEqual(
    await found("amazon"),
    builds({
      "2023 x86_64": `${at}/kvm/${image("x86_64")}`,
      "2023 aarch64": `${at}/kvm-arm64/${image("arm64")}`,
    }, () => ({ builtAt: "2026-04-06T00:00:00Z" })),
  );
  const latest = "https://cdn.amazonlinux.com/al2023/os-images/latest/";
  const elsewhere: Fetch = async (address) =>
    address === latest ? { address: "https://evil.example/9.9/", text: "" } : await site(address);
  const [version] = await discover("amazon", {}, elsewhere);
  assert.deepEqual(version!.builds.x86_64, {
    failed: `Cannot use "https://evil.example/9.9/": it is not below ${latest.slice(0, -7)}`,
  });
});
