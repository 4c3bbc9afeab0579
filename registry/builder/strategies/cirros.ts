import { z } from "zod";
import { below } from "../address.ts";
import { Checksums } from "../checksums.ts";
import { rolling, strategy } from "../discovery.ts";
import { listedNames } from "../listing.ts";
import { newest } from "../newest.ts";

/** CirrOS's folders by version. */
export default strategy({
  options: z.object({}),
  discover: (source, fetch) =>
    rolling(source, async (architecture) => {
      const { version } = newest(
        listedNames(await fetch(source.at)),
        /(\d+\.\d+\.\d+)\//,
        source.at,
      );
      const folder = below(source.at, `${version}/`);
      const name = `cirros-${version}-${architecture}-disk.img`;
      const checksums = new Checksums(await fetch(below(folder, "SHA256SUMS")));
      return { version, url: below(folder, name), ...checksums.of(name) };
    }),
});
