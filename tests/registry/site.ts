import { createHash } from "node:crypto";
import { NidoError } from "../../lib/errors.ts";
import type { Fetch } from "../../registry/builder/fetch.ts";
import { fromFileUrl } from "../helpers/paths.ts";

const FIXTURES = fromFileUrl("../registry/fixtures");

/**
 * Publishers as files: what is at `https://host/path` lies in `fixtures/host/path`. Every digest there
 * is the digest of the file's own name, so that a test knows each without looking it up.
 */
export const site: Fetch = async (address) => {
  const folder = address.replace(/^https:\/\//, `${FIXTURES}/`).replaceAll(":", "_");
  const path = folder.replace(/\/\?jsontable$/, "/index.json").replace(/\/$/, "/index.html");
  const to = await read(`${folder}redirect`);
  if (to !== undefined) return { address: to.trim(), text: "" };
  const text = await read(path);
  if (text !== undefined) return { address, text };
  throw new NidoError("unavailable", `Cannot fetch ${address}: the server answers 404`);
};

/** The same publishers, with some addresses answered otherwise. */
export function siteBut(answers: Record<string, string | undefined>): Fetch {
  return async (address) => {
    if (!(address in answers)) return await site(address);
    const text = answers[address];
    if (text !== undefined) return { address, text };
    throw new NidoError("unavailable", `Cannot fetch ${address}: the server answers 404`);
  };
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return undefined;
  }
}

/** The digest that the fixtures give a file. */
export function digestOf(name: string, algorithm: "sha256" | "sha512" = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(name).digest("hex")}`;
}

/** A fetch that answers with these texts and knows nothing else. */
export function answering(answers: Record<string, string>): Fetch {
  return (address) => {
    const text = answers[address];
    if (text !== undefined) return Promise.resolve({ address, text });
    return Promise.reject(
      new NidoError("unavailable", `Cannot fetch ${address}: the server answers 404`),
    );
  };
}

/** Where the shipped sources are. */
export const SOURCES = fromFileUrl("../../registry/sources.yaml");
