import { z } from "zod";
import { compareVersions } from "../../../lib/catalog/compare_versions.ts";
import { below, builtOn } from "../address.ts";
import { eachVersion, strategy } from "../discovery.ts";
import { debianWord, keep } from "../options.ts";
import { newestItem, type Product, readStream } from "../simplestreams.ts";

const STREAM = "streams/v1/com.ubuntu.cloud:released:download.json";

/** Ubuntu's index of released images: the newest build of each supported release. */
export default strategy({
  options: z.object({
    product: z.enum(["server", "minimal"]).describe("Which of its images"),
    keep,
  }),
  async discover(source, fetch) {
    const products = readStream(await fetch(below(source.at, STREAM)));
    const named = (release: string, word: string): Product | undefined =>
      products[`com.ubuntu.cloud:${source.product}:${release}:${word}`];
    const releases = Object.keys(products)
      .map((name) => name.split(":")[2]!)
      .filter((release, at, all) => all.indexOf(release) === at && /^\d\d\.\d\d$/.test(release))
      .filter((release) => named(release, "amd64")?.supported)
      .sort((a, b) => compareVersions(b, a))
      .slice(0, source.keep);
    const versions = releases.map((version) => ({
      version,
      aliases: words(named(version, "amd64")!).filter((word) => word !== version),
    }));
    return await eachVersion(source, versions, (version, architecture) => {
      const product = named(version, debianWord[architecture]);
      const item = product && newestItem(product, "disk1.img");
      if (item === undefined) return undefined;
      const { serial, path, ...file } = item;
      return { url: below(source.at, path), ...file, ...builtOn(serial) };
    });
  },
});

/** `default` says what Ubuntu would choose, and one letter too little. */
function words({ aliases }: Product): string[] {
  return aliases.split(",").map((word) => word.trim())
    .filter((word) => /^[a-z0-9][a-z0-9.]+$/.test(word) && word !== "default");
}
