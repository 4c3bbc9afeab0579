import { z } from "zod";
import { below } from "../address.ts";
import { Checksums } from "../checksums.ts";
import { eachVersion, strategy } from "../discovery.ts";
import { listedNames } from "../listing.ts";
import { literal, newest, newestFirst } from "../newest.ts";
import { keep } from "../options.ts";

/** Alpine's branches, each with a folder of images, old point releases beside new ones. */
export default strategy({
  options: z.object({
    keep,
    bootstrap: z.enum(["cloudinit", "tiny"]).describe("What reads the seed in the guest"),
  }),
  async discover(source, fetch) {
    const branches = newestFirst(listedNames(await fetch(source.at)), /v(\d+\.\d+)\//);
    return await eachVersion(
      source,
      branches.slice(0, source.keep).map(({ version }) => ({ version })),
      async (branch, architecture) => {
        const folder = below(source.at, `v${branch}/releases/cloud/`);
        const firmware = source.firmware[architecture];
        const build = new RegExp(
          `nocloud_alpine-(${literal(branch)}\\.\\d+)-${architecture}-${firmware}-` +
            `${source.bootstrap}-r(\\d+)\\.qcow2`,
        );
        const { name } = newestRevision(listedNames(await fetch(folder)), build, folder);
        const sidecar = new Checksums(await fetch(below(folder, `${name}.sha512`)));
        return { url: below(folder, name), ...sidecar.ofItsOnly(name) };
      },
    );
  },
});

/** Revisions count within a release: `-r1` comes after `-r0`. */
function newestRevision(names: string[], build: RegExp, address: string): { name: string } {
  const { version } = newest(names, build, address);
  const release = new RegExp(build.source.replace(/\(.*?\)/, literal(version)));
  return newest(names, release, address);
}
