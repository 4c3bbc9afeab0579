import { z } from "zod";
import { below, builtOn, fileName } from "../address.ts";
import { Checksums } from "../checksums.ts";
import { eachVersion, strategy } from "../discovery.ts";
import { listedNames } from "../listing.ts";
import { newest } from "../newest.ts";
import { wanted } from "../options.ts";

const template = z.string().min(1).max(500);

/**
 * Any publisher whose addresses follow a pattern: `{version}`, `{architecture}` and, where a folder's
 * list tells the newest build, `{build}` are filled in below `at`.
 */
export default strategy({
  options: z.object({
    wanted,
    file: template.describe("Where the image is below `at`"),
    checksums: template.describe("Where its checksum file is below `at`"),
    words: z.strictObject({ x86_64: z.string(), aarch64: z.string() }).default({
      x86_64: "x86_64",
      aarch64: "aarch64",
    }).describe("What {architecture} is"),
    builds: z.strictObject({
      folder: template.describe("The folder below `at` whose names tell the builds"),
      pattern: z.string().max(200).regex(/\(.*\)/, "needs a group around the build").refine(
        isPattern,
        "is no regular expression",
      ).describe("What a name there is as a whole; its first group is {build}"),
    }).optional(),
  }),
  discover: (source, fetch) =>
    eachVersion(
      source,
      source.wanted.map((version) => ({ version })),
      async (version, architecture) => {
        const known = { version, architecture: source.words[architecture] };
        const fill = (text: string, build = "") =>
          below(source.at, filled(text, { ...known, build }));
        let build = "";
        if (source.builds) {
          const folder = fill(source.builds.folder);
          const names = listedNames(await fetch(folder));
          build = newest(names, new RegExp(filled(source.builds.pattern, known)), folder).version;
        }
        const url = fill(source.file, build);
        const checksums = new Checksums(await fetch(fill(source.checksums, build)));
        return { url, ...checksums.ofItsOnly(fileName(url)), ...builtOn(build) };
      },
    ),
});

function filled(text: string, words: Record<string, string>): string {
  return text.replaceAll(
    /\{(version|architecture|build)\}/g,
    (whole, word) => words[word] ?? whole,
  );
}

function isPattern(text: string): boolean {
  try {
    return RegExp(filled(text, { version: "1", architecture: "a" })) instanceof RegExp;
  } catch {
    return false;
  }
}
