import { z } from "zod";
import { below, builtOn } from "../address.ts";
import { Checksums } from "../checksums.ts";
import { eachVersion, strategy } from "../discovery.ts";
import { newest } from "../newest.ts";

const WORDS = {
  x86_64: { folder: "kvm", file: "x86_64" },
  aarch64: { folder: "kvm-arm64", file: "arm64" },
} as const;

/** Amazon Linux 2023: where `latest/` redirects to names the version. */
export default strategy({
  options: z.object({}),
  discover: (source, fetch) =>
    eachVersion(source, [{ version: "2023" }], async (_version, architecture) => {
      const { folder: folderWord, file } = WORDS[architecture];
      const { address } = await fetch(below(source.at, "latest/"));
      const [, version = ""] = /\/(\d+(?:\.\d+)+)\//.exec(below(source.at, address)) ?? [];
      const folder = below(source.at, `${version}/${folderWord}/`);
      const checksums = new Checksums(await fetch(below(folder, "SHA256SUMS")));
      const { name, version: build } = newest(
        checksums.names,
        new RegExp(`al2023-kvm-([\\d.]+)-kernel-[\\d.]+-${file}\\.xfs\\.gpt\\.qcow2`),
        folder,
      );
      const [, serial = ""] = /\.(20\d{6})\./.exec(build) ?? [];
      return { url: below(folder, name), ...checksums.of(name), ...builtOn(serial) };
    }),
});
