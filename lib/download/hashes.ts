import type { Hash } from "node:crypto";
import { algorithmOf } from "../digest.ts";

/** The published digest's hash and SHA-256 of the same bytes, in one pass. */
export class Hashes {
  private constructor(readonly published: Hash, readonly sha256: Hash) {}

  /** For a published digest; without one SHA-256 is all there is. */
  static async of(digest: string | undefined): Promise<Hashes> {
    const { createHash } = await import("node:crypto");
    const sha256 = createHash("sha256");
    const isOther = digest !== undefined && algorithmOf(digest) !== "sha256";
    return new Hashes(isOther ? createHash(algorithmOf(digest)) : sha256, sha256);
  }

  update(bytes: Uint8Array): void {
    this.sha256.update(bytes);
    if (this.published !== this.sha256) this.published.update(bytes);
  }

  /** Both digests, `sha256:...` and the like; no bytes can follow. */
  digests(wanted: string | undefined): { digest: string; sha256: string } {
    const sha256 = `sha256:${this.sha256.digest("hex")}`;
    if (this.published === this.sha256) return { digest: sha256, sha256 };
    return { digest: `${algorithmOf(wanted!)}:${this.published.digest("hex")}`, sha256 };
  }
}
