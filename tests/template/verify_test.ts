import assert from "node:assert/strict";
import verify, { verifyTemplate } from "../../lib/template/verify.ts";
import { fails, poke, sha256 } from "../image/fixture.ts";
import { spoil, withTemplate } from "./fixture.ts";

Deno.test("a whole template is told to be whole, file by file", async () => {
  await using at = await withTemplate("web", { expand: true });
  assert.deepEqual(await verify.call(at.context, { name: "web" }), {
    name: "web",
    digest: at.template.digest,
    files: ["web.compact.qcow2", "web.expanded.qcow2"],
  });
});

Deno.test("one changed byte of the compact disk is found", async () => {
  await using at = await withTemplate();
  const { compactPath, digest } = at.template;
  await spoil(compactPath, 700_000);
  const found = await sha256(compactPath);
  await fails(
    verifyTemplate(at.context, "web"),
    "integrity",
    `Template "web" is damaged: web.compact.qcow2: its digest is ${found}, and was ${digest}`,
    "nido template delete web",
  );
});

Deno.test("damage of the uncompressed copy is found and named", async () => {
  await using at = await withTemplate("web", { expand: true });
  const path = at.template.expandedPath!;
  await spoil(path, 700_000);
  await fails(
    verifyTemplate(at.context, "web"),
    "integrity",
    `Cannot use ${path}: qemu-img compare with web.compact.qcow2 says ` +
      '"Content mismatch at offset 372224!"',
  );
  await poke(path, 65_536, Array(16).fill(0xff));
  const error = await verifyTemplate(at.context, "web").then(() => undefined, (thrown) => thrown);
  assert.equal(error.code, "integrity");
  assert.ok(error.message.startsWith(`Cannot use ${path}: qemu-img check says "`), error.message);
  await Deno.remove(path);
  await fails(
    verifyTemplate(at.context, "web"),
    "integrity",
    'Template "web" is damaged: web.expanded.qcow2: it is missing',
  );
});
