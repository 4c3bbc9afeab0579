import { z } from "zod";
import { below } from "../address.ts";
import { Checksums } from "../checksums.ts";
import { rolling, strategy } from "../discovery.ts";
import { listedNames } from "../listing.ts";
import { newest } from "../newest.ts";
import { debianWord } from "../options.ts";

/** Kali's quarterly folders; the digests are those of the archives. */
export default strategy({
  options: z.object({}),
  discover: (source, fetch) =>
    rolling(source, async (architecture) => {
      const { version } = newest(
        listedNames(await fetch(source.at)),
        /kali-(\d{4}\.\d+)\//,
        source.at,
      );
      const folder = below(source.at, `kali-${version}/`);
      const name = `kali-linux-${version}-cloud-genericcloud-${debianWord[architecture]}.tar.xz`;
      const checksums = new Checksums(await fetch(below(folder, "SHA256SUMS")));
      return { version, url: below(folder, name), ...checksums.of(name) };
    }),
});
