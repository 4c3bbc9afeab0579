import { z } from "zod";

/** A digest as publishers give them: the algorithm, and its value in lower-case hexadecimal digits. */
export const digest = z.string().regex(
  /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/,
  "use sha256:<64 hex digits> or sha512:<128 hex digits>",
);

/** A hash function that digests name. */
export type DigestAlgorithm = "sha256" | "sha512";

/** The hash function of a digest. */
export function algorithmOf(digest: string): DigestAlgorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}
