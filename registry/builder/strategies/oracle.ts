import { z } from "zod";
import { below } from "../address.ts";
import { eachVersion, strategy } from "../discovery.ts";
import { readIndex } from "../index_file.ts";
import { wanted } from "../options.ts";

const template = z.object({
  base_url: z.string().startsWith("/"),
  kvm: z.object({ image: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
});

/** Oracle Linux: one small index for each version and architecture. */
export default strategy({
  options: z.object({ wanted }),
  discover: (source, fetch) =>
    eachVersion(
      source,
      source.wanted.map((version) => ({ version })),
      async (version, architecture) => {
        const index = architecture === "x86_64"
          ? `ol${version}-template.json`
          : `ol${version}_aarch64-cloud-template.json`;
        const { base_url, kvm } = readIndex(await fetch(below(source.at, index)), template);
        return {
          url: below(source.at, `${base_url}/${kvm.image}`),
          digest: `sha256:${kvm.sha256}`,
        };
      },
    ),
});
