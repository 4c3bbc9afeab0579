import { z } from "zod";
import { below, builtOn } from "../address.ts";
import { Checksums } from "../checksums.ts";
import { rolling, strategy } from "../discovery.ts";
import { listedNames } from "../listing.ts";
import { newest } from "../newest.ts";

/** Arch Linux's dated folders; it makes images for x86_64 only. */
export default strategy({
  options: z.object({}),
  discover: (source, fetch) =>
    rolling(source, async (architecture) => {
      const { version } = newest(
        listedNames(await fetch(source.at)),
        /v(\d{8}\.\d+)\//,
        source.at,
      );
      const folder = below(source.at, `v${version}/`);
      const name = `Arch-Linux-${architecture}-cloudimg-${version}.qcow2`;
      const sidecar = new Checksums(await fetch(below(folder, `${name}.SHA256`)));
      return { version, url: below(folder, name), ...sidecar.of(name), ...builtOn(version) };
    }),
});
