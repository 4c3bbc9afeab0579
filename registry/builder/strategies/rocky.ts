import { z } from "zod";
import { below, builtOn } from "../address.ts";
import { Checksums } from "../checksums.ts";
import { eachVersion, strategy } from "../discovery.ts";
import { listedNames } from "../listing.ts";
import { literal, newest, newestFirst } from "../newest.ts";
import { wanted } from "../options.ts";

/** Rocky Linux: the folder of the newest minor release, since that of a major one can't be relied on. */
export default strategy({
  options: z.object({ wanted }),
  async discover(source, fetch) {
    const releases = listedNames(await fetch(source.at));
    return await eachVersion(
      source,
      source.wanted.map((version) => ({
        version,
        aliases: newestFirst(releases, minorOf(version)).slice(0, 1).map(({ version }) => version),
      })),
      async (major, architecture) => {
        const minor = newest(releases, minorOf(major), source.at);
        const folder = below(source.at, `${minor.version}/images/${architecture}/`);
        const checksums = new Checksums(await fetch(below(folder, "CHECKSUM")));
        const { name, version: serial } = newest(
          checksums.names,
          new RegExp(
            `Rocky-${literal(major)}-GenericCloud-Base-${literal(minor.version)}-` +
              `(\\d{8}\\.\\d+)\\.${architecture}\\.qcow2`,
          ),
          folder,
        );
        return { url: below(folder, name), ...checksums.of(name), ...builtOn(serial) };
      },
    );
  },
});

function minorOf(major: string): RegExp {
  return new RegExp(`(${literal(major)}\\.\\d+)/`);
}
