import { NidoError } from "../../errors.ts";
import { run } from "../../host/process.ts";
import type { PackagesRecipe } from "../recipe.ts";
import type { Workshop } from "./programs.ts";

/** A Debian archive: the suites that are taken from each address. */
export interface Mirror {
  /** One-line apt sources. */
  sources: string[];
  /** Environment that lets a nested apt reach the mirror as this system's apt does. */
  env: Record<string, string>;
}

const SNAPSHOTS = "https://snapshot.debian.org";
const TARGET_FIELDS = ["ORIGIN", "LABEL", "COMPONENT", "RELEASE", "REPO_URI"];

interface AptTarget {
  label: string;
  release: string;
  uri: string;
}

/** Where a recipe's packages come from: as it says, else as this system's apt is configured. */
export async function mirrorOf(
  workshop: Workshop,
  { mirror, release, snapshot }: PackagesRecipe,
  doing: string,
): Promise<Mirror> {
  const env = await proxyEnvironment(workshop);
  if (snapshot !== undefined) {
    return { sources: ofDay(mirror ?? SNAPSHOTS, release, snapshot), env };
  }
  if (mirror !== undefined) return { sources: [`deb ${tidy(mirror)} ${release} main`], env };
  return { sources: await systemSources(workshop, release, doing), env };
}

/** The archives as they were when a day began, laid out as snapshot.debian.org does. */
function ofDay(mirror: string, release: string, day: string): string[] {
  const stamp = `${day.replaceAll("-", "")}T000000Z`;
  const source = (archive: string, suite: string) =>
    `deb [check-valid-until=no] ${tidy(mirror)}/archive/${archive}/${stamp} ${suite} main`;
  return [source("debian", release), source("debian-security", `${release}-security`)];
}

/** This system's own Debian mirror, with updates and security where it has them. */
async function systemSources(
  workshop: Workshop,
  release: string,
  doing: string,
): Promise<string[]> {
  const targets = await debianTargets(workshop);
  const main = targets.find(({ label, release }) =>
    label === "Debian" && !/-(updates|backports|proposed)/.test(release)
  );
  if (main === undefined) {
    throw new NidoError(
      "unavailable",
      `Cannot ${doing}: this system's apt knows no Debian mirror`,
      { hint: "apt-get update, or name a mirror: --mirror https://..." },
    );
  }
  const sources = [`deb ${await webAddress(main.uri, doing)} ${release} main`];
  const updates = targets.find(({ release }) => release.endsWith("-updates"));
  if (updates) sources.push(`deb ${await webAddress(updates.uri, doing)} ${release}-updates main`);
  const security = targets.find(({ label }) => label === "Debian-Security");
  if (security) {
    sources.push(`deb ${await webAddress(security.uri, doing)} ${release}-security main`);
  }
  return sources;
}

async function debianTargets(workshop: Workshop): Promise<AptTarget[]> {
  const format = TARGET_FIELDS.map((field) => `$(${field})`).join("|");
  const args = ["indextargets", "--format", format, "Created-By: Packages"];
  return (await said(workshop, "apt-get", args)).split("\n").flatMap((line) => {
    const [origin, label = "", component, release = "", uri = ""] = line.split("|");
    return origin === "Debian" && component === "main" ? [{ label, release, uri }] : [];
  });
}

/** Debian's own cloud images name their mirror in a list file, which a guest would not have. */
async function webAddress(uri: string, doing: string): Promise<string> {
  const list = uri.match(/^mirror\+file:(?:\/\/)?(\/.*?)\/?$/)?.[1];
  const address = list === undefined
    ? uri
    : (await Deno.readTextFile(list)).split("\n").map((line) => line.split(/\s/)[0] ?? "")
      .find((word) => word.startsWith("http"));
  if (address === undefined || !/^https?:/.test(address)) {
    throw new NidoError(
      "unavailable",
      `Cannot ${doing}: this system's Debian mirror is no web address (${uri})`,
      { hint: "name a mirror: --mirror https://..." },
    );
  }
  return tidy(address);
}

function tidy(address: string): string {
  return address.replace(/\/+$/, "");
}

/** mmdebstrap's apt does not read this system's apt.conf, where a proxy may be set. */
async function proxyEnvironment(workshop: Workshop): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const scheme of ["http", "https"]) {
    const line = await said(workshop, "apt-config", [
      "shell",
      "PROXY",
      `Acquire::${scheme}::Proxy`,
    ]);
    const address = line.match(/^PROXY='(.+)'/)?.[1];
    if (address !== undefined && address !== "DIRECT") env[`${scheme}_proxy`] = address;
  }
  return env;
}

async function said({ context, path }: Workshop, program: string, args: string[]): Promise<string> {
  const env = { PATH: path, LC_ALL: "C.UTF-8" };
  const { stdout } = await run(program, args, { signal: context.signal, env });
  return new TextDecoder().decode(stdout);
}
