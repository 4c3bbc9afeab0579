import assert from "node:assert/strict";
import { parseQcow2 } from "../../lib/image/qcow2.ts";
import { emptyOverlay } from "../../lib/qemu/overlay.ts";

const GIB = 2 ** 30;

Deno.test("an empty overlay names its base, the base's format and its size", () => {
  for (const size of [2 * GIB, 20 * GIB, 16_384 * GIB]) {
    const header = parseQcow2(emptyOverlay("/images/base.qcow2", size));
    assert.equal(header.version, 3);
    assert.equal(header.virtualSizeBytes, size);
    assert.equal(header.backingFile, "/images/base.qcow2");
  }
});

Deno.test("qemu-img finds nothing wrong with overlays of any size, and data goes through them", async () => {
  const folder = await Deno.makeTempDir({ prefix: "nido-overlay-" });
  try {
    const base = `${folder}/base.qcow2`;
    const overlay = `${folder}/overlay.qcow2`;
    for (
      const [size, clusterBytes] of [
        ...[1_048_576, 2 * GIB, 513 * GIB + 512, 16_384 * GIB].map((size) => [size, 65_536]),
        ...[1_048_576, 2 * GIB, 513 * GIB + 512, 4_096 * GIB].map((size) => [size, 4_096]),
      ] as [number, number][]
    ) {
      await qemu("qemu-img", "create", "-q", "-f", "qcow2", base, "1M");
      await qemu("qemu-io", "-f", "qcow2", "-c", "write -P 7 0 64k", base);
      await Deno.writeFile(overlay, emptyOverlay(base, size, clusterBytes));
      await qemu("qemu-img", "check", "-f", "qcow2", overlay);
      const last = size - 65_536;
      await qemu("qemu-io", "-f", "qcow2", "-c", "read -P 7 0 64k", overlay);
      await qemu("qemu-io", "-f", "qcow2", "-c", `write -P 9 ${last} 64k`, overlay);
      await qemu("qemu-io", "-f", "qcow2", "-c", `read -P 9 ${last} 64k`, overlay);
      await qemu("qemu-img", "check", "-f", "qcow2", overlay);
      const info = JSON.parse(
        await qemu("qemu-img", "info", "--output=json", "-f", "qcow2", overlay),
      );
      assert.equal(info["virtual-size"], size);
      assert.equal(info["cluster-size"], clusterBytes);
      assert.equal(info["backing-filename"], base);
      assert.equal(info["backing-filename-format"], "qcow2");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a base path that the header can't hold is refused", () => {
  assert.throws(() => emptyOverlay("/" + "a".repeat(1023), GIB), {
    message: "a backing path holds at most 1023 bytes",
  });
});

async function qemu(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, `${program} ${args.join(" ")}: ${text}${new TextDecoder().decode(stderr)}`);
  assert.ok(!text.includes("Pattern verification failed"), text);
  return text;
}
