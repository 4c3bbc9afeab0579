import assert from "node:assert/strict";
import { sampleBuild, sampleCatalog } from "../../catalog/sample.ts";
import { guestImage, Nest } from "../../helpers/guest.ts";
import { serveImages } from "../../helpers/image_server.ts";
import { sha256 } from "../../image/fixture.ts";

Deno.test("an image that is only on a server is pulled over a bad line, spawned from and used", async () => {
  await using nest = await Nest.make();
  const file = await guestImage();
  const digest = await sha256(file);
  const bytes = await Deno.readFile(file);
  await using server = serveImages({
    "debian.qcow2": {
      bytes,
      etag: '"one"',
      faults: [{ dropAfter: 30_000_000 }, { status: 503 }, { dropAfter: 1_000_000 }],
    },
  });
  const catalog = sampleCatalog();
  catalog.images[1]!.versions[1]!.builds = {
    x86_64: sampleBuild({ url: server.url("debian.qcow2"), digest, sizeBytes: bytes.length }),
  };
  server.files["images.json"] = { bytes: new TextEncoder().encode(JSON.stringify(catalog)) };
  await nest.ok(["config", "set", "catalog", server.url("images.json")]);
  await nest.ok(["config", "set", "warm", "off"]);

  const spawned = await nest.data([
    "spawn",
    "web",
    "--image",
    "debian:bookworm",
    "--memory",
    "512M",
  ]);
  assert.deepEqual([spawned.image, spawned.digest, spawned.user, spawned.firstBoot], [
    "debian:12",
    digest,
    "debian",
    "done",
  ]);
  const asked = server.seen.filter(({ path }) => path === "debian.qcow2");
  assert.deepEqual(asked.map(({ range }) => range?.replace(/\d{6,}/, "N")), [
    undefined,
    "bytes=N-",
    "bytes=N-",
    "bytes=N-",
  ]);
  const { stdout } = await nest.data(["exec", "web", "--", "sh", "-c", "id -un; uname -s"]);
  assert.equal(stdout, "debian\nLinux\n");
  assert.equal((await nest.data(["info", "web"])).digest, digest);
  const used = await nest.error(["image", "remove", "debian:bookworm"]);
  assert.deepEqual([used.code, used.message], [
    "in_use",
    'Cannot remove image "debian:12": in use by web',
  ]);
});
