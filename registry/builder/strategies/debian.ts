import { z } from "zod";
import { NidoError } from "../../../lib/errors.ts";
import { below, builtOn } from "../address.ts";
import { Checksums } from "../checksums.ts";
import { eachVersion, strategy } from "../discovery.ts";
import type { Fetch } from "../fetch.ts";
import { listedNames } from "../listing.ts";
import { newestFirst } from "../newest.ts";
import { debianWord } from "../options.ts";

/** Builds without a file for an architecture occur; so many are looked at, the newest first. */
const BUILDS = 5;

/** Debian's dated folders, each with its own SHA512SUMS. */
export default strategy({
  options: z.object({
    variant: z.enum(["genericcloud", "generic"]).describe("Which of its images"),
    codenames: z.record(z.string(), z.string().regex(/^[a-z]+$/)).describe(
      "The versions wanted, each with its codename, which is an alias too",
    ),
  }),
  discover: (source, fetch) =>
    eachVersion(
      source,
      Object.entries(source.codenames).map(([version, codename]) => ({
        version,
        aliases: [codename],
      })),
      async (version, architecture) => {
        const folder = below(source.at, `${source.codenames[version]}/`);
        const word = debianWord[architecture];
        const builds = newestFirst(listedNames(await fetch(folder)), /(\d{8}-\d+)\//);
        for (const { version: serial } of builds.slice(0, BUILDS)) {
          const name = `debian-${version}-${source.variant}-${word}-${serial}.qcow2`;
          const sums = await checksums(below(folder, `${serial}/SHA512SUMS`), fetch);
          if (!sums.names.includes(name)) continue;
          return { url: below(folder, `${serial}/${name}`), ...sums.of(name), ...builtOn(serial) };
        }
        throw new NidoError("not_found", `Cannot find a build for ${word} in ${folder}`);
      },
    ),
});

async function checksums(address: string, fetch: Fetch): Promise<Checksums> {
  return new Checksums(await fetch(address));
}
