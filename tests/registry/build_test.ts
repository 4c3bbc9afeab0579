import assert from "node:assert/strict";
import type { Fetch } from "../../registry/builder/fetch.ts";
import { ARCH, BOOKWORM, DAY, Registry, SOURCES } from "./registry_folder.ts";
import { digestOf, site, siteBut } from "./site.ts";

Deno.test("a catalog is made of what the sources offer, in a fixed order", async () => {
  using registry = new Registry();
  const outcome = await registry.build();
  assert.equal(outcome.changed, true);
  assert.deepEqual(outcome.problems, []);
  const name = (word: string, serial: string) => `debian-12-genericcloud-${word}-${serial}.qcow2`;
  const debian = (word: string, serial: string, firmware: string, builtAt: string) => ({
    url: `${BOOKWORM}${serial}/${name(word, serial)}`,
    mirrors: [
      `https://cdimage.debian.org/cdimage/cloud/bookworm/${serial}/${name(word, serial)}`,
    ],
    digest: digestOf(name(word, serial), "sha512"),
    format: "qcow2",
    firmware,
    user: "debian",
    cloudInit: true,
    guestAgent: false,
    builtAt,
  });
  const arch = "Arch-Linux-x86_64-cloudimg-20260715.556894.qcow2";
  assert.deepEqual(registry.catalog, {
    $schema: "./schema/catalog.json",
    schemaVersion: 1,
    updatedAt: DAY,
    images: [{
      name: "arch",
      title: "Arch Linux",
      description: "Arch Linux's images.",
      homepage: "https://archlinux.org",
      versions: [{
        version: "20260715.556894",
        aliases: [],
        builds: {
          x86_64: {
            url: `${ARCH}v20260715.556894/${arch}`,
            digest: digestOf(arch),
            format: "qcow2",
            firmware: "bios",
            user: "arch",
            cloudInit: true,
            guestAgent: true,
            builtAt: "2026-07-15T00:00:00Z",
          },
        },
      }],
    }, {
      name: "debian",
      title: "Debian",
      description: "Debian's images.",
      homepage: "https://www.debian.org",
      versions: [{
        version: "12",
        aliases: ["bookworm"],
        builds: {
          x86_64: debian("amd64", "20260712-2537", "bios", "2026-07-12T00:00:00Z"),
          aarch64: debian("arm64", "20260706-2531", "uefi", "2026-07-06T00:00:00Z"),
        },
        recipe: "debian-12",
      }],
    }],
  });
  assert.equal((await Deno.stat(outcome.path)).mode! & 0o777, 0o666 & ~Deno.umask());
});

Deno.test("the same answers give the same bytes, whatever the order of sources and answers", async () => {
  using registry = new Registry();
  await registry.build();
  const before = registry.text;
  const again = await registry.build();
  assert.deepEqual(again, { ...again, changed: false, diff: [], problems: [] });
  assert.equal(registry.text, before);

  const [head, debian, arch] = SOURCES.split(/(?= {2}- name)/);
  using other = new Registry(`${head}${arch}${debian}`);
  let turn = 0;
  await other.build(async (address) => {
    await new Promise((resolve) => setTimeout(resolve, (turn++ * 7) % 5));
    return await site(address);
  });
  assert.equal(other.text, before);
});

Deno.test("nothing is written by a dry run, nor by one that fails", async () => {
  using registry = new Registry();
  const dry = await registry.build(site, { dryRun: true });
  assert.ok(dry.changed && dry.diff.length > 0);
  assert.deepEqual(names(registry.folder), ["sources.yaml"]);
  const down: Fetch = (address) => siteBut({ [address]: undefined })(address);
  await assert.rejects(registry.build(down), {
    code: "unavailable",
    message: "Cannot build the catalog: no source offers an image",
  });
  assert.deepEqual(names(registry.folder), ["sources.yaml"]);
});

Deno.test("what a person takes must be known", async () => {
  using registry = new Registry();
  await assert.rejects(registry.build(site, { accept: ["debain:12"] }), {
    code: "not_found",
    message: "Cannot accept debain:12: there is no such image",
  });
});

Deno.test("a diff tells each fact", async () => {
  using registry = new Registry();
  await registry.build();
  registry.write("sources.yaml", SOURCES.replace("title: Debian", "title: Debian GNU/Linux"));
  assert.deepEqual((await registry.build()).diff, ["~ debian title Debian -> Debian GNU/Linux"]);
});

function names(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}
