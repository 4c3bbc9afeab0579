import { z } from "zod";
import { below } from "../address.ts";
import { Checksums } from "../checksums.ts";
import { eachVersion, strategy } from "../discovery.ts";
import { listedNames } from "../listing.ts";
import { literal, newest, newestFirst } from "../newest.ts";
import { wanted } from "../options.ts";

const WORDS = {
  x86_64: { folder: "amd64", file: "amd64" },
  aarch64: { folder: "aarch64", file: "arm64-aarch64" },
} as const;

/** FreeBSD's releases: the newest of each major version; the digests are those of the packed files. */
export default strategy({
  options: z.object({
    wanted,
    filesystem: z.enum(["ufs", "zfs"]).describe("Which of its images"),
  }),
  async discover(source, fetch) {
    const listed = listedNames(await fetch(source.at));
    return await eachVersion(
      source,
      source.wanted.map((version) => ({
        version,
        aliases: newestFirst(listed, releaseOf(version)).slice(0, 1).map(({ version }) => version),
      })),
      async (major, architecture) => {
        const { version } = newest(listed, releaseOf(major), source.at);
        const { folder: folderWord, file } = WORDS[architecture];
        const folder = below(source.at, `${version}-RELEASE/${folderWord}/Latest/`);
        const name =
          `FreeBSD-${version}-RELEASE-${file}-BASIC-CLOUDINIT-${source.filesystem}.qcow2.xz`;
        const checksums = new Checksums(await fetch(below(folder, "CHECKSUM.SHA256")));
        return { url: below(folder, name), ...checksums.of(name) };
      },
    );
  },
});

function releaseOf(major: string): RegExp {
  return new RegExp(`(${literal(major)}\\.\\d+)-RELEASE/`);
}
