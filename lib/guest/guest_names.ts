import { NidoError } from "../errors.ts";

/**
 * Checks a name from a guest's folder. One that could lead out of the target folder is `integrity`;
 * one that this machine can't hold gives the reason to skip it.
 */
export function checkName(name: string, os: string = Deno.build.os): string | undefined {
  if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) throw refusedName(name);
  if (name.includes("\uFFFD")) return "its name is not UTF-8";
  if (new TextEncoder().encode(name).length > 255) return "its name is too long";
  if (
    os === "windows" && /[<>:"|?*\\\p{Cc}]|[ .]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/iu.test(name)
  ) {
    return "Windows allows no such name";
  }
}

/** The error for a name that tries to lead elsewhere. */
export function refusedName(name: string): NidoError {
  return new NidoError("integrity", `Refused a file name from the guest: ${JSON.stringify(name)}`);
}

/** What two names share that mean one file on this machine. */
export function sameName(name: string, os: string = Deno.build.os): string {
  return os === "linux" ? name : name.normalize("NFC").toLowerCase();
}

/**
 * Why a symbolic link from a guest is not made, if so. It may only lead to a place inside the copied
 * tree. Any `..` must come first: after a name it would climb from wherever that name leads, which
 * may be another link. `depth` counts the folders between the tree's root and the link.
 */
export function refuseLink(target: string, depth: number): string | undefined {
  const outside = `it leads out of the copied folder, to ${JSON.stringify(target)}`;
  if (target === "" || target.includes("\0")) return "it leads nowhere";
  if (target.startsWith("/") || target.includes("\\") || /^[A-Za-z]:/.test(target)) return outside;
  const steps = target.split("/").filter((step) => step !== "" && step !== ".");
  const climbs = steps.findIndex((step) => step !== "..");
  const up = climbs === -1 ? steps.length : climbs;
  if (up > depth || steps.indexOf("..", up) !== -1) return outside;
}
