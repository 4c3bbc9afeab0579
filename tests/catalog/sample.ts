import type { Build, Catalog } from "../../lib/catalog/catalog.ts";

/** A digest that no file has by accident. */
export function digestOf(digit: string): string {
  return `sha256:${digit.repeat(64)}`;
}

/** One file of a catalog. */
export function sampleBuild(parts: Partial<Build> = {}): Build {
  return {
    url: "https://images.example/debian-12.qcow2",
    digest: digestOf("a"),
    format: "qcow2",
    firmware: "bios",
    user: "debian",
    cloudInit: true,
    guestAgent: false,
    ...parts,
  };
}

/** A small catalog: debian 13 and 12 for x86_64, 12 for aarch64 too, and alpine. */
export function sampleCatalog(parts: Partial<Catalog> = {}): Catalog {
  const about = { description: "A distribution.", homepage: "https://images.example/" };
  return {
    schemaVersion: 1,
    updatedAt: "2026-11-01T00:00:00Z",
    images: [
      {
        name: "alpine",
        title: "Alpine Linux",
        ...about,
        versions: [{
          version: "3.20",
          aliases: [],
          builds: { x86_64: sampleBuild({ digest: digestOf("c") }) },
        }],
      },
      {
        name: "debian",
        title: "Debian",
        ...about,
        versions: [
          {
            version: "13",
            aliases: ["trixie", "stable"],
            builds: { x86_64: sampleBuild({ digest: digestOf("b") }) },
          },
          {
            version: "12",
            aliases: ["bookworm"],
            recipe: "debian-12",
            builds: {
              x86_64: sampleBuild(),
              aarch64: sampleBuild({ digest: digestOf("d"), firmware: "uefi" }),
            },
          },
        ],
      },
    ],
    ...parts,
  };
}
