import { z } from "zod";
import { below } from "../address.ts";
import { compareVersions } from "../../../lib/catalog/compare_versions.ts";
import { eachVersion, strategy } from "../discovery.ts";
import { readIndex } from "../index_file.ts";
import { keep } from "../options.ts";

const entry = z.object({
  version: z.string(),
  arch: z.string(),
  link: z.string(),
  variant: z.string(),
  subvariant: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/).nullish(),
  size: z.coerce.number().int().min(1).nullish().catch(undefined),
});

/** Fedora's list of everything it released; names of files changed often, the list has not. */
export default strategy({
  options: z.object({
    index: z.url({ protocol: /^https$/ }).describe("Where releases.json is"),
    keep,
  }),
  async discover(source, fetch) {
    const entries = readIndex(await fetch(source.index), z.array(entry)).filter((
      { version, variant, subvariant, link },
    ) =>
      variant === "Cloud" && subvariant === "Cloud_Base" && /^\d+$/.test(version) &&
      link.endsWith(".qcow2")
    );
    const versions = [...new Set(entries.map(({ version }) => version))]
      .sort((a, b) => compareVersions(b, a))
      .slice(0, source.keep);
    return await eachVersion(
      source,
      versions.map((version) => ({ version })),
      (version, architecture) => {
        const found = entries.filter((entry) =>
          entry.version === version && entry.arch === architecture && entry.sha256
        );
        const [only] = found;
        if (only === undefined) return undefined;
        return {
          url: below(source.at, only.link),
          digest: `sha256:${only.sha256}`,
          ...(only.size ? { sizeBytes: only.size } : {}),
        };
      },
    );
  },
});
