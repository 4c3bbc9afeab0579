import assert from "node:assert/strict";
import { run } from "../../lib/host/process.ts";
import { importImage } from "../../lib/image/import.ts";
import { namesIn } from "../../lib/store/record.ts";
import type { ErrorCode } from "../../lib/errors.ts";
import { fails, type Fixture, fixture, poke, qemuImg, writeQcow2, writeRaw } from "./fixture.ts";

/** Asserts one refusal, and that it left nothing behind. */
async function refuses(at: Fixture, file: string, code: ErrorCode, fact: string, hint?: string) {
  await fails(importImage(at.context, { file }), code, `Cannot import ${file}: ${fact}`, hint);
  for (const folder of ["images", "disks", "staging"]) {
    assert.deepEqual(await namesIn(`${at.home}/${folder}`), [], folder);
  }
}

Deno.test("what is no disk at all", async () => {
  await using at = await fixture();
  await refuses(at, at.at("absent.img"), "not_found", "no such file");
  await refuses(at, at.folder, "invalid_input", "it is a folder");
  await Deno.writeTextFile(at.at("empty.img"), "");
  await refuses(at, at.at("empty.img"), "invalid_input", "it is empty");
  const text = at.at("notes.img");
  await Deno.writeTextFile(text, "not a disk\n".repeat(100));
  await refuses(
    at,
    text,
    "invalid_input",
    "it is not a disk image",
    `nido image import ${text} --format raw`,
  );
  await run("gzip", ["-k", text]);
  await refuses(at, `${text}.gz`, "invalid_input", "it is not a disk image");
  await run("xz", ["-k", `${text}.gz`]);
  await refuses(
    at,
    `${text}.gz.xz`,
    "invalid_input",
    "it is compressed twice, which Nido does not read",
  );
});

Deno.test("other disk formats are named", async () => {
  await using at = await fixture();
  const kinds = [["vpc", "a VHD disk"], ["qed", "a QED disk"]] as const;
  for (const [format, title] of kinds) {
    const file = at.at(`disk.${format}`);
    await qemuImg("create", "-q", "-f", format, file, "8M");
    await refuses(
      at,
      file,
      "invalid_input",
      `it is ${title}, which Nido does not read`,
      `qemu-img convert -f ${format} -O qcow2 ${file} disk.qcow2`,
    );
  }
  const iso = await writeRaw(at.at("hybrid.iso"));
  await poke(iso, 32769, [..."CD001"].map((char) => char.charCodeAt(0)));
  await refuses(
    at,
    iso,
    "invalid_input",
    "it is an ISO 9660 image (a CD or DVD), which Nido does not read",
  );
});

Deno.test("qcow2 images that reach outside themselves", async () => {
  await using at = await fixture();
  const backed = at.at("backed.qcow2");
  const options = ["-q", "-u", "-f", "qcow2", "-F", "raw"];
  await qemuImg("create", ...options, "-b", "/etc/passwd", backed, "1M");
  await refuses(
    at,
    backed,
    "denied",
    'it has a backing file ("/etc/passwd"), which could leak files of this host',
  );
  const evil = "\x1b[31m/etc/shadow\n";
  await qemuImg("create", ...options, "-b", evil, at.at("evil.qcow2"), "1M");
  await refuses(
    at,
    at.at("evil.qcow2"),
    "denied",
    `it has a backing file (${JSON.stringify(evil)}), which could leak files of this host`,
  );
  const data = at.at("data.qcow2");
  await qemuImg("create", "-q", "-f", "qcow2", "-o", `data_file=${at.at("d.raw")}`, data, "1M");
  await refuses(
    at,
    data,
    "denied",
    `it keeps its data in another file ("${at.at("d.raw")}"), which could leak files of this host`,
  );
});

Deno.test("qcow2 images that are encrypted, unknown, marked or of absurd size", async () => {
  await using at = await fixture();
  const source = await writeQcow2(at.at("source.qcow2"));
  const changed = async (name: string, offset: number, bytes: number[]) => {
    await Deno.copyFile(source, at.at(name));
    return await poke(at.at(name), offset, bytes);
  };
  await refuses(at, await changed("aes", 35, [1]), "invalid_input", "it is encrypted (AES)");
  await refuses(at, await changed("luks", 35, [2]), "invalid_input", "it is encrypted (LUKS)");
  await refuses(
    at,
    await changed("features", 72, [0x80, 0, 0, 0, 0, 0, 0, 0x20]),
    "invalid_input",
    "it needs qcow2 features that Nido does not know (bits 5, 63)",
  );
  await refuses(
    at,
    await changed("dirty", 79, [1]),
    "integrity",
    "it was not closed properly (its dirty bit is set)",
  );
  await refuses(at, await changed("corrupt", 79, [2]), "integrity", "it is marked as corrupt");
  await refuses(
    at,
    await changed("qcow1", 7, [1]),
    "integrity",
    "it is qcow version 1, and Nido knows 2 and 3",
  );
  await refuses(
    at,
    await changed("clusters", 23, [40]),
    "integrity",
    "its qcow2 header is corrupt (cluster bits 40)",
  );
  await refuses(
    at,
    await changed("none", 24, Array(8).fill(0)),
    "invalid_input",
    "its disk has no size",
  );
  const huge = at.at("huge.qcow2");
  await qemuImg("create", "-q", "-f", "qcow2", "-o", "cluster_size=2M", huge, "17T");
  await refuses(
    at,
    huge,
    "invalid_input",
    "its disk would have 17 TiB, and the most is 16 TiB",
  );
});

Deno.test("cut and damaged files", async () => {
  await using at = await fixture();
  const source = await Deno.readFile(await writeQcow2(at.at("source.qcow2")));
  const cut = async (name: string, bytes: Uint8Array, length: number) => {
    await Deno.writeFile(at.at(name), bytes.slice(0, length));
    return at.at(name);
  };
  await refuses(
    at,
    await cut("header", source, 90),
    "integrity",
    "it is cut short (its header ends at byte 90)",
  );
  await refuses(
    at,
    await cut("tables", source, 150_000),
    "integrity",
    "it is cut short (its tables end at byte 196616, the file at byte 150000)",
  );
  await refuses(
    at,
    await cut("data", source, source.length - 3 * 65536),
    "integrity",
    "qemu-img check found 3 corruptions in it",
  );
  for (const [program, suffix] of [["xz", "xz"], ["gzip", "gz"], ["zstd", "zst"]] as const) {
    await run(program, [program === "zstd" ? "-qk" : "-k", at.at("source.qcow2")]);
    const packed = await Deno.readFile(`${at.at("source.qcow2")}.${suffix}`);
    const fact = `its ${suffix} data is corrupt or cut short`;
    for (const lost of [1, 5000, packed.length / 2 | 0, packed.length - 20]) {
      await refuses(
        at,
        await cut(`cut.${suffix}`, packed, packed.length - lost),
        "integrity",
        fact,
      );
    }
    const flipped = await poke(
      await cut(`flipped.${suffix}`, packed, packed.length),
      packed.length / 2 | 0,
      [packed[packed.length / 2 | 0]! ^ 0xff],
    );
    await refuses(at, flipped, "integrity", fact);
  }
});
