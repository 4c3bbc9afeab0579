import { z } from "zod";
import { below, builtOn } from "../address.ts";
import { Checksums } from "../checksums.ts";
import { eachVersion, strategy } from "../discovery.ts";
import { literal, newest } from "../newest.ts";
import { wanted } from "../options.ts";

/** CentOS Stream's folders, whose CHECKSUM names all builds of two products that boot differently. */
export default strategy({
  options: z.object({ wanted }),
  discover: (source, fetch) =>
    eachVersion(
      source,
      source.wanted.map((version) => ({ version })),
      async (version, architecture) => {
        const folder = below(source.at, `${version}-stream/${architecture}/images/`);
        const checksums = new Checksums(await fetch(below(folder, "CHECKSUM")));
        // On x86_64, GenericCloud-9 boots from BIOS only and GenericCloud-x86_64-9 from UEFI.
        const uefi = architecture === "x86_64" && source.firmware.x86_64 === "uefi";
        const product = `CentOS-Stream-GenericCloud-${uefi ? "x86_64-" : ""}${literal(version)}`;
        const { name, version: serial } = newest(
          checksums.names,
          new RegExp(`${product}-(\\d{8}\\.\\d+)\\.${architecture}\\.qcow2`),
          folder,
        );
        return { url: below(folder, name), ...checksums.of(name), ...builtOn(serial) };
      },
    ),
});
