/** Numbers that look random and are the same each time (mulberry32). */
export interface Random {
  below(limit: number): number;
  of<T>(list: readonly T[]): T;
}

/** A source of numbers from a seed. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return { below, of: (list) => list[below(list.length)]! };
}

const WORDS = [
  ..."\n\r\t \0()*=#<>\"'\\&%-./0aF9{}[],:".split(""),
  "\n\n",
  "0".repeat(64),
  "f".repeat(128),
  "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n",
  "-----BEGIN PGP SIGNATURE-----\n",
  "SHA256 (",
  "SHA512 (x) = ",
  '<a href="',
  "<a href='../",
  "https://evil.example/",
  "//evil.example/",
  "../",
  "latest",
  "99999999.9",
  "\u0000\ud800",
  "1e999",
  "null",
  '"supported":false',
  " Beta",
  "9".repeat(400),
];

type Change = (text: string, draw: Random, others: string[]) => string;

const CHANGES: Change[] = [
  // A character becomes another one.
  (text, draw) => replaced(text, draw.below(text.length), 1, draw.of(WORDS)),
  (text, draw) => replaced(text, draw.below(text.length), 1, "0123456789abcdef"[draw.below(16)]!),
  // Something is put in, left out, doubled.
  (text, draw) => replaced(text, draw.below(text.length + 1), 0, draw.of(WORDS)),
  (text, draw) => replaced(text, draw.below(text.length), 1 + draw.below(3), ""),
  (text, draw) => replaced(text, draw.below(text.length), draw.below(300), ""),
  (text, draw) => {
    const at = draw.below(text.length);
    return replaced(text, at, 0, text.slice(at, at + draw.below(300)));
  },
  // The text ends too early, or begins too late.
  (text, draw) => text.slice(0, draw.below(text.length)),
  (text, draw) => text.slice(draw.below(text.length)),
  // Lines change places, and parts of lines.
  (text, draw) => {
    const lines = text.split("\n");
    const [one, other] = [draw.below(lines.length), draw.below(lines.length)];
    [lines[one], lines[other]] = [lines[other]!, lines[one]!];
    return lines.join("\n");
  },
  (text, draw) => {
    const lines = text.split("\n");
    const [one, other] = [draw.below(lines.length), draw.below(lines.length)];
    const [a = "", b = ""] = [lines[one], lines[other]].map((line) => line!.split(/ +/)[0]);
    return a === "" ? text : text.replace(a, () => b);
  },
  // Another publisher's text is put in, or takes its place.
  (text, draw, others) => {
    const other = draw.of(others);
    const part = other.slice(draw.below(other.length)).slice(0, draw.below(2000));
    return replaced(text, draw.below(text.length), 0, part);
  },
  (_text, draw, others) => draw.of(others),
  // Much too much of something.
  (text, draw) => replaced(text, draw.below(text.length), 0, draw.of(WORDS).repeat(20_000)),
  (text, draw) => draw.of([text.toUpperCase(), text.replaceAll("\n", "\r\n"), text.repeat(3)]),
  (text, draw) => text.replace(/\d+/g, (digits) => draw.below(20) ? digits : `${draw.below(1e9)}`),
];

/** A text with one to three changes. */
export function mutated(text: string, draw: Random, others: string[]): string {
  let changed = text;
  for (let count = 1 + draw.below(3); count > 0 && changed.length > 0; count--) {
    changed = draw.of(CHANGES)(changed, draw, others);
  }
  return changed;
}

function replaced(text: string, at: number, length: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + length);
}
