/** Where the packages come from: this system's own Debian mirror, or one that is given. */
import { BuildError, run } from "./programs.ts";
import { suite } from "./recipe.ts";

/** A Debian archive: the suites that are taken from each address. */
export interface Mirror {
  /** One-line apt sources, without options. */
  sources: string[];
  /** Environment that lets a nested apt reach the mirror as this system's apt does. */
  env: Record<string, string>;
}

const targetFields = ["ORIGIN", "LABEL", "COMPONENT", "RELEASE", "REPO_URI"];

interface AptTarget {
  label: string;
  release: string;
  uri: string;
}

/** The mirror at `url`, which holds the main archive only. */
export function givenMirror(url: string): Mirror {
  if (!/^https?:\/\/[^\s]+$/.test(url)) {
    throw new BuildError(`--mirror takes an http or https address, not "${url}"`);
  }
  return { sources: [`deb ${url} ${suite} main`], env: {} };
}

/** The Debian mirror that this system's apt is configured with, security included where it is. */
export async function aptMirror(): Promise<Mirror> {
  const targets = await debianTargets();
  const main = targets.find(({ label, release }) =>
    label === "Debian" && !/-(updates|backports|proposed)/.test(release)
  );
  if (main === undefined) {
    throw new BuildError(
      "No Debian mirror among this system's apt sources: " +
        "pass --mirror URL, or run apt-get update if the sources do name one",
    );
  }
  const sources = [`deb ${await webAddress(main.uri)} ${suite} main`];
  const updates = targets.find(({ release }) => release.endsWith("-updates"));
  if (updates) sources.push(`deb ${await webAddress(updates.uri)} ${suite}-updates main`);
  const security = targets.find(({ label }) => label === "Debian-Security");
  if (security) sources.push(`deb ${await webAddress(security.uri)} ${suite}-security main`);
  return { sources, env: await proxyEnvironment() };
}

async function debianTargets(): Promise<AptTarget[]> {
  const format = targetFields.map((field) => `$(${field})`).join("|");
  const args = ["apt-get", "indextargets", "--format", format, "Created-By: Packages"];
  return (await run(args)).split("\n").flatMap((line) => {
    const [origin, label = "", component, release = "", uri = ""] = line.split("|");
    return origin === "Debian" && component === "main" ? [{ label, release, uri }] : [];
  });
}

/** Debian's own cloud images name their mirror in a list file, which a guest would not have. */
async function webAddress(uri: string): Promise<string> {
  const list = uri.match(/^mirror\+file:(?:\/\/)?(\/.*?)\/?$/)?.[1];
  const address = list === undefined
    ? uri
    : (await Deno.readTextFile(list)).split("\n").map((line) => line.split(/\s/)[0] ?? "")
      .find((word) => word.startsWith("http"));
  if (address === undefined || !/^https?:/.test(address)) {
    throw new BuildError(`apt's Debian mirror is not a web address (${uri}): pass --mirror URL`);
  }
  return address.replace(/\/$/, "");
}

/** mmdebstrap's apt does not read this system's apt.conf, where a proxy may be set. */
async function proxyEnvironment(): Promise<Record<string, string>> {
  const http = await run(["apt-config", "shell", "PROXY", "Acquire::http::Proxy"]);
  const https = await run(["apt-config", "shell", "PROXY", "Acquire::https::Proxy"]);
  const env: Record<string, string> = {};
  for (const [name, line] of [["http_proxy", http], ["https_proxy", https]] as const) {
    const address = line.match(/^PROXY='(.+)'/)?.[1];
    if (address !== undefined && address !== "DIRECT") env[name] = address;
  }
  return env;
}
