import manifest from "../deno.json" with { type: "json" };

/** Written at the head of a bundle by scripts/build/bundle.ts; sources have none. */
declare const NIDO_COMMIT: string | undefined;

/** The ways in which Nido comes to a machine. */
export type CopyKind = "binary" | "bundle" | "package" | "source";

/** What this copy of Nido is. */
export interface ThisNido {
  version: string;
  /** What it was built from; absent where it runs from its sources. */
  commit?: string;
  kind: CopyKind;
}

/** The copy of Nido that runs. */
export const thisNido: ThisNido = {
  version: manifest.version,
  ...(typeof NIDO_COMMIT === "undefined" ? {} : { commit: NIDO_COMMIT }),
  get kind() {
    if (Deno.build.standalone) return "binary";
    if (!import.meta.url.endsWith("/lib/this_nido.ts")) return "bundle";
    return import.meta.url.startsWith("file:") ? "source" : "package";
  },
};
