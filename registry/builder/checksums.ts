import { NidoError } from "../../lib/errors.ts";
import { signedBody } from "./clearsigned.ts";
import type { Page } from "./fetch.ts";

/** What a checksum file says of a file. */
export interface Checksum {
  digest: string;
  sizeBytes?: number;
}

const BY_LENGTH: Record<number, string> = {
  32: "md5",
  40: "sha1",
  56: "sha224",
  64: "sha256",
  96: "sha384",
  128: "sha512",
};

interface Line {
  algorithm: string;
  hex: string;
  name?: string;
}

/**
 * Reads a checksum file in any of the forms that publishers write: `hex *name`, `hex name`,
 * `SHA256 (name) = hex`, several algorithms one after the other, a bare digest, all of it clearsigned
 * or not. One line that is none of these makes the whole file unreadable.
 */
export class Checksums {
  readonly #address: string;
  readonly #digests = new Map<string, Map<string, string>>();
  readonly #sizes = new Map<string, number>();
  readonly #bare: string | undefined;

  constructor({ address, text }: Page) {
    this.#address = address;
    const lines = signedBody({ address, text }).split("\n").map((line) => line.trimEnd());
    for (const [index, line] of lines.entries()) {
      const size = /^# (.+): (\d{1,15}) bytes$/.exec(line);
      if (size) this.#keepSize(plain(size[1]!), Number(size[2]));
      if (line === "" || line.startsWith("#")) continue;
      const read = readLine(line);
      if (read === undefined) throw this.#unreadable(`line ${index + 1} is no checksum`);
      const { algorithm, hex, name } = read;
      if (name !== undefined) this.#keepDigest(name, algorithm, hex);
      else if (this.#bare === undefined) this.#bare = `${algorithm}:${hex}`;
      else throw this.#unreadable("it has two digests without a name");
    }
    if (this.#bare !== undefined && this.#digests.size > 0) {
      throw this.#unreadable("a digest has no name and others have");
    }
  }

  /** The names that it gives digests of. */
  get names(): string[] {
    return [...this.#digests.keys()];
  }

  /** The strongest digest of exactly this file. */
  of(name: string): Checksum {
    const digests = this.#digests.get(name);
    const digest = ["sha512", "sha256"].flatMap((algorithm) => {
      const hex = digests?.get(algorithm);
      return hex === undefined ? [] : [`${algorithm}:${hex}`];
    })[0];
    if (digest === undefined) throw this.#unreadable(`it has no SHA-256 or SHA-512 of ${name}`);
    const sizeBytes = this.#sizes.get(name);
    return { digest, ...(sizeBytes ? { sizeBytes } : {}) };
  }

  /** The digest in a file that belongs to one other file, where it may stand without a name. */
  ofItsOnly(name: string): Checksum {
    return this.#bare === undefined ? this.of(name) : { digest: this.#bare };
  }

  #keepDigest(name: string, algorithm: string, hex: string): void {
    const known = this.#digests.get(name) ?? new Map<string, string>();
    if ((known.get(algorithm) ?? hex) !== hex) {
      throw this.#unreadable(`it has two different digests of ${name}`);
    }
    this.#digests.set(name, known.set(algorithm, hex));
  }

  #keepSize(name: string, bytes: number): void {
    if ((this.#sizes.get(name) ?? bytes) !== bytes) {
      throw this.#unreadable(`it has two different sizes of ${name}`);
    }
    this.#sizes.set(name, bytes);
  }

  #unreadable(fact: string): NidoError {
    return new NidoError("integrity", `Cannot use the checksums of ${this.#address}: ${fact}`);
  }
}

function readLine(line: string): Line | undefined {
  const tagged = /^([A-Z0-9-]{3,12}) \(([^()\s]+)\) = ([0-9a-fA-F]+)$/.exec(line);
  if (tagged) {
    const algorithm = tagged[1]!.toLowerCase().replace("-", "");
    const known = Object.values(BY_LENGTH).includes(algorithm);
    if (known && BY_LENGTH[tagged[3]!.length] !== algorithm) return undefined;
    return { algorithm, hex: tagged[3]!.toLowerCase(), name: plain(tagged[2]!) };
  }
  const [, hex = "", name] = /^([0-9a-fA-F]+)(?:(?: [ *]?|\t)([^\s*]\S*))?$/.exec(line) ?? [];
  const algorithm = BY_LENGTH[hex.length];
  if (algorithm === undefined) return undefined;
  if (name === undefined && !algorithm.match(/^sha(256|512)$/)) return undefined;
  return { algorithm, hex: hex.toLowerCase(), name: name === undefined ? undefined : plain(name) };
}

function plain(name: string): string {
  return name.replace(/^\.\//, "");
}
