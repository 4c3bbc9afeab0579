import { z } from "zod";
import { below, builtOn } from "../address.ts";
import { Checksums } from "../checksums.ts";
import { type Architecture, eachVersion, type Found, rolling, strategy } from "../discovery.ts";
import type { Fetch } from "../fetch.ts";
import { readIndex } from "../index_file.ts";
import { literal, newest } from "../newest.ts";

const table = z.object({
  data: z.array(z.object({
    name: z.string(),
    size: z.int().min(1).nullish().catch(undefined),
  })),
});

/** openSUSE's folders, which MirrorCache lists as JSON; each image has its own digest beside it. */
export default strategy({
  options: z.object({
    leap: z.array(z.string().regex(/^\d+\.\d+$/)).max(10).optional().describe(
      "The versions of Leap that are wanted; without, Tumbleweed's newest snapshot",
    ),
    folders: z.strictObject({ x86_64: z.string(), aarch64: z.string() }).describe(
      "Where its images are below `at`; {version} stands for the version",
    ),
  }),
  async discover(source, fetch) {
    const folderOf = (architecture: Architecture, version = "") =>
      below(source.at, source.folders[architecture].replace("{version}", version));
    if (source.leap) {
      return await eachVersion(
        source,
        source.leap.map((version) => ({ version })),
        async (version, architecture) => {
          const folder = folderOf(architecture, version);
          const { version: _, ...found } = await newestIn(
            folder,
            leap(version, architecture),
            fetch,
          );
          return found;
        },
      );
    }
    return await rolling(
      source,
      (architecture) => newestIn(folderOf(architecture), tumbleweed(architecture), fetch),
    );
  },
});

function leap(version: string, architecture: Architecture): RegExp {
  return new RegExp(
    `(?:openSUSE-)?Leap-${
      literal(version)
    }-Minimal-VM\\.${architecture}-Cloud-Build([\\d.]+)\\.qcow2`,
  );
}

function tumbleweed(architecture: Architecture): RegExp {
  return new RegExp(
    `openSUSE-Tumbleweed-Minimal-VM\\.${architecture}-\\d+\\.\\d+\\.\\d+-Cloud-Snapshot(\\d{8})\\.qcow2`,
  );
}

async function newestIn(
  folder: string,
  pattern: RegExp,
  fetch: Fetch,
): Promise<Found & { version: string }> {
  const { data } = readIndex(await fetch(`${folder}?jsontable`), table);
  const { name, version } = newest(data.map(({ name }) => name), pattern, folder);
  const { size } = data.find((row) => row.name === name)!;
  const sidecar = new Checksums(await fetch(below(folder, `${name}.sha256`)));
  return {
    version,
    url: below(folder, name),
    ...(size ? { sizeBytes: size } : {}),
    ...sidecar.ofItsOnly(name),
    ...builtOn(version),
  };
}
