/** Reads an assembler listing: bytes in hex, `;` begins a comment. */
export function readListing(listing: string): Uint8Array {
  const code = listing.split("\n").map((line) => line.split(";")[0]).join(" ");
  return Uint8Array.from(code.trim().split(/\s+/), (byte) => parseInt(byte, 16));
}
