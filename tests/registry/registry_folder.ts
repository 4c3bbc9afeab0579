import { join } from "node:path";
import type { Catalog } from "../../lib/catalog/catalog.ts";
import type { Fetch } from "../../registry/builder/fetch.ts";
import { buildRegistry, type Order, type Outcome } from "../../registry/builder/mod.ts";
import { site } from "./site.ts";

/** Two sources of the fixtures: one with versions by name, one that has only the newest. */
export const SOURCES = `schemaVersion: 1
sources:
  - name: debian
    title: Debian
    description: Debian's images.
    homepage: https://www.debian.org
    strategy: debian
    at: https://cloud.debian.org/images/cloud/
    mirrors: [https://cdimage.debian.org/cdimage/cloud/]
    variant: genericcloud
    codenames: { "12": bookworm }
    user: debian
    cloudInit: true
    guestAgent: false
    releases: { "12": { recipe: debian-12 } }
  - name: arch
    title: Arch Linux
    description: Arch Linux's images.
    homepage: https://archlinux.org
    strategy: arch
    at: https://geo.mirror.pkgbuild.com/images/
    architectures: [x86_64]
    user: arch
    cloudInit: true
    guestAgent: true
`;

/** Where they are, and the first day of their builds. */
export const BOOKWORM = "https://cloud.debian.org/images/cloud/bookworm/";
export const ARCH = "https://geo.mirror.pkgbuild.com/images/";
export const DAY = "2026-11-23T05:06:07.000Z";

/** A folder of a registry, and builds of it on one day after another. */
export class Registry implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "nido-registry-" });
  #days = 0;

  constructor(sources = SOURCES) {
    this.write("sources.yaml", sources);
  }

  write(name: string, text: string): void {
    Deno.writeTextFileSync(join(this.folder, name), text);
  }

  get text(): string {
    return Deno.readTextFileSync(join(this.folder, "images.json"));
  }

  get catalog(): Catalog {
    return JSON.parse(this.text);
  }

  /** The next day's build. */
  async build(fetch: Fetch = site, order: Partial<Order> = {}): Promise<Outcome> {
    const now = new Date(Date.parse(DAY) + 86_400_000 * this.#days++);
    return await buildRegistry({ folder: this.folder, fetch, now, ...order });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** The problems that need a person. */
export const people = ({ problems }: Outcome) =>
  problems.filter(({ needsPerson }) => needsPerson).map(({ about, problem }) =>
    `${about}: ${problem}`
  );
/** All problems. */
export const told = ({ problems }: Outcome) =>
  problems.map(({ about, problem }) => `${about}: ${problem}`);
