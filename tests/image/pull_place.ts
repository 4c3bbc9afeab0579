import type { Catalog } from "../../lib/catalog/catalog.ts";
import { sampleBuild, sampleCatalog } from "../catalog/sample.ts";
import { type ImageServer, serveImages } from "../helpers/image_server.ts";
import { type Fixture, fixture, sha256, useCatalog, writeQcow2 } from "./fixture.ts";

/** A home, and a server of images that its catalog can name. */
export interface Place extends Fixture {
  server: ImageServer;
  /** What the server has under this name: a disk of its own for each seed; gives its digest. */
  publish(path: string, seed: number): Promise<string>;
  /** Makes this the file of debian:12 for this host. */
  offer(path: string, digest: string, parts?: Partial<Catalog>): Promise<void>;
}

export async function place(): Promise<Place> {
  const at = await fixture();
  const server = serveImages({});
  return {
    ...at,
    server,
    async publish(path, seed) {
      const disk = await writeQcow2(at.at(`${path.replaceAll("/", "-")}-${seed}`), 1 << 20, seed);
      server.files[path] = { bytes: await Deno.readFile(disk) };
      return await sha256(disk);
    },
    async offer(path, digest, parts = {}) {
      const catalog = sampleCatalog(parts);
      const build = sampleBuild({ url: server.url(path), digest });
      catalog.images[1]!.versions[1]!.builds = { [Deno.build.arch]: build };
      await useCatalog(at.home, catalog);
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await at[Symbol.asyncDispose]();
    },
  };
}
