import { z } from "zod";
import { below, builtOn } from "../address.ts";
import { Checksums } from "../checksums.ts";
import { eachVersion, strategy } from "../discovery.ts";
import { literal, newest } from "../newest.ts";
import { wanted } from "../options.ts";

/**
 * AlmaLinux: a major release's folder tells of the newest minor one, whose own folder then gives file
 * and digest: the folder of a major release moves on.
 */
export default strategy({
  options: z.object({
    wanted,
    baseline: z.record(z.string(), z.literal("x86_64_v2")).default({}).describe(
      "Versions whose build for older processors is wanted on x86_64",
    ),
  }),
  discover: (source, fetch) =>
    eachVersion(
      source,
      source.wanted.map((version) => ({ version })),
      async (major, architecture) => {
        const word = architecture === "x86_64"
          ? source.baseline[major] ?? architecture
          : architecture;
        const build = new RegExp(
          `AlmaLinux-${literal(major)}-GenericCloud-` +
            `(${literal(major)}\\.\\d+-\\d{8}(?:\\.\\d+)?)\\.${word}\\.qcow2`,
        );
        const moving = below(source.at, `${major}/cloud/${word}/images/`);
        const { names } = new Checksums(await fetch(below(moving, "CHECKSUM")));
        const { name, version } = newest(names, build, moving);
        const [minor = "", serial = ""] = version.split("-");
        const folder = below(source.at, `${minor}/cloud/${word}/images/`);
        const checksums = new Checksums(await fetch(below(folder, "CHECKSUM")));
        return { url: below(folder, name), ...checksums.of(name), ...builtOn(serial) };
      },
    ),
});
