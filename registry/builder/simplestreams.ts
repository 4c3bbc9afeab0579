import { z } from "zod";
import type { Page } from "./fetch.ts";
import { readIndex } from "./index_file.ts";
import { newestFirst } from "./newest.ts";

const item = z.object({
  ftype: z.string(),
  path: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/).optional(),
  sha512: z.string().regex(/^[0-9a-f]{128}$/).optional(),
  size: z.int().min(1).optional(),
});

const product = z.object({
  aliases: z.string().default(""),
  supported: z.boolean().default(true),
  version: z.string(),
  versions: z.record(
    z.string(),
    z.object({
      label: z.string().optional(),
      items: z.record(z.string(), item),
    }),
  ),
});

const stream = z.object({
  format: z.literal("products:1.0"),
  datatype: z.literal("image-downloads"),
  products: z.record(z.string(), product),
});

/** A product of a stream: one version of a system for one architecture. */
export type Product = z.output<typeof product>;

/** The newest published file of one kind in a product. */
export interface StreamItem {
  serial: string;
  path: string;
  digest: string;
  sizeBytes?: number;
}

/** Reads a `products:1.0` index of files (simplestreams); products by their names. */
export function readStream(page: Page): Record<string, Product> {
  return readIndex(page, stream).products;
}

/** The newest release in a product that has a file of this kind with a digest. */
export function newestItem(product: Product, ftype: string): StreamItem | undefined {
  for (const { name: serial } of newestFirst(Object.keys(product.versions), /(\d{8}(?:\.\d+)?)/)) {
    const { label = "release", items } = product.versions[serial]!;
    const found = Object.values(items).find((item) => item.ftype === ftype);
    if (label !== "release" || found === undefined) continue;
    const { path, sha256, sha512, size } = found;
    const digest = sha512 ? `sha512:${sha512}` : sha256 && `sha256:${sha256}`;
    if (digest) return { serial, path, digest, ...(size ? { sizeBytes: size } : {}) };
  }
}
