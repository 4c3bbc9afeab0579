import { z } from "zod";
import { partialDownloads } from "../download/download.ts";
import { operation } from "../operation.ts";
import { cachedDisk, cachedDisks, shownDisk } from "./cache.ts";

const listed = cachedDisk.omit({ storedDigest: true, sourceFormat: true, source: true });

const download = z.strictObject({
  key: z.string().describe("The digest that it shall have, or the digest of its address"),
  label: z.string().optional().describe("What it is of"),
  sizeBytes: z.number().describe("What is here so far, in bytes"),
  totalBytes: z.number().optional().describe("What it will be, where that is known"),
  modifiedAt: z.string().describe("When the last of it came (RFC 3339)"),
  busy: z.boolean().describe("A process is downloading it now"),
});

export default operation({
  name: "cache.list",
  summary: "List the stored disks of images and unfinished downloads",
  effect: "read",
  input: z.strictObject({}),
  output: z.strictObject({
    disks: z.array(listed).describe("The stored disks"),
    downloads: z.array(download).describe("Downloads that the next pull goes on with"),
    totalBytes: z.number().describe("What all of it takes on this host, in bytes"),
  }),
  examples: ["nido cache list"],
  run: async ({ home }) => {
    const disks = (await cachedDisks(home)).map((disk) => {
      const { storedDigest: _, sourceFormat: __, source: ___, ...line } = shownDisk(disk);
      return line;
    });
    const downloads = await partialDownloads(home);
    const sizes = [
      ...disks.map((disk) => disk.diskBytes),
      ...downloads.map((one) => one.sizeBytes),
    ];
    const totalBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
    return { disks, downloads, totalBytes };
  },
});
