import * as Enums from "@cyclonedx/cyclonedx-library/Enums";
import * as Models from "@cyclonedx/cyclonedx-library/Models";
import * as Serialize from "@cyclonedx/cyclonedx-library/Serialize";
import * as Spec from "@cyclonedx/cyclonedx-library/Spec";
import manifest from "../../deno.json" with { type: "json" };
import lockFile from "../../deno.lock" with { type: "text" };

/** What deno.lock says of a package. */
interface Locked {
  integrity?: string;
  dependencies?: string[];
}

const locked: Record<string, Locked> = JSON.parse(lockFile).npm;

/**
 * What a bundle is made of, as a CycloneDX document: the libraries whose modules are in it, with their
 * digests from deno.lock, and the Deno that runs it. The same bundle gives the same document.
 */
export function sbomOf(code: string): string {
  const nido = component("@nido/cli", manifest.version, Enums.ComponentType.Application);
  nido.licenses.add(new Models.SpdxLicense(manifest.license));
  const runtime = component("deno", Deno.version.deno, Enums.ComponentType.Framework);
  const bom = new Models.Bom({ metadata: new Models.Metadata({ component: nido }) });
  bom.components.add(runtime);
  nido.dependencies.add(runtime.bomRef);

  const libraries = new Map(namesIn(code).map((id) => [id, library(id)]));
  for (const [id, made] of libraries) {
    bom.components.add(made);
    nido.dependencies.add(made.bomRef);
    for (const needed of lockedOf(id).dependencies ?? []) {
      const other = libraries.get(needed) ?? named(libraries, needed);
      if (other) made.dependencies.add(other.bomRef);
    }
  }
  const format = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  const text = new Serialize.JsonSerializer(format).serialize(bom, { sortLists: true, space: 2 });
  return `${text}\n`;
}

/** The libraries whose modules a bundle holds, as `name@version`. */
function namesIn(code: string): string[] {
  const modules = code.matchAll(/\bnpm\/((?:@[\w.-]+\/)?[\w.-]+)\/(\d+\.\d+\.\d+[\w.+-]*)\//g);
  return [...new Set(Array.from(modules, ([, name, version]) => `${name}@${version}`))].sort();
}

function library(id: string): Models.Component {
  const at = id.lastIndexOf("@");
  const made = component(id.slice(0, at), id.slice(at + 1), Enums.ComponentType.Library);
  made.purl = `pkg:npm/${id.slice(0, at).replace("@", "%40")}@${id.slice(at + 1)}`;
  const { integrity } = lockedOf(id);
  if (!integrity) throw new Error(`deno.lock has no digest of ${id}`);
  const digest = Uint8Array.fromBase64(integrity.replace("sha512-", "")).toHex();
  made.hashes.set(Enums.HashAlgorithm["SHA-512"], digest);
  return made;
}

function component(name: string, version: string, type: Enums.ComponentType): Models.Component {
  return new Models.Component(type, name, { version, bomRef: `${name}@${version}` });
}

/** In deno.lock the key of a package goes on with those that it was resolved beside. */
function lockedOf(id: string): Locked {
  const isIt = (key: string) => key === id || key.startsWith(`${id}_`);
  return Object.entries(locked).find(([key]) => isIt(key))?.[1] ?? {};
}

/** A dependency that deno.lock names without its version, because there is one only. */
function named(libraries: Map<string, Models.Component>, name: string) {
  return [...libraries.values()].find((library) => library.name === name);
}
