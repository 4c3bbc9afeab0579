/** The units that key names end in, and what a value may be written in. */
const SIZES = { B: 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 } as const;
const TIMES = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A unit as a key's ending names it: `memoryMib`, `timeoutSeconds`. */
export interface Unit {
  suffix: string;
  kind: "size" | "time";
  /** Its worth in bytes or milliseconds. */
  scale: number;
  /** What a person may type. */
  accepts: string;
}

const size = (suffix: string, scale: number, accepts: string): Unit => ({
  suffix,
  kind: "size",
  scale,
  accepts,
});
const time = (suffix: string, scale: number, accepts: string): Unit => ({
  suffix,
  kind: "time",
  scale,
  accepts,
});

const UNITS: Unit[] = [
  size("Bytes", SIZES.B, "a size such as 4096, 64K or 1M (a bare number is bytes)"),
  size("Kib", SIZES.K, "a size such as 64K or 1M (a bare number is KiB)"),
  size("Mib", SIZES.M, "a size such as 512M or 2G (a bare number is MiB)"),
  size("Gib", SIZES.G, "a size such as 20G or 1T (a bare number is GiB)"),
  time("Ms", TIMES.ms, "a time such as 500ms or 2s (a bare number is milliseconds)"),
  time("Seconds", TIMES.s, "a time such as 30s, 5m or 1h (a bare number is seconds)"),
  time("Minutes", TIMES.m, "a time such as 5m or 1h (a bare number is minutes)"),
  time("Hours", TIMES.h, "a time such as 12h or 2d (a bare number is hours)"),
];

/** The unit that a key's name ends in, if any. */
export function unitOf(key: string): Unit | undefined {
  return UNITS.find(({ suffix }) => key.endsWith(suffix) && key.length > suffix.length);
}

/** A key's name without its unit: `memoryMib` is `memory`. */
export function withoutUnit(key: string): string {
  const unit = unitOf(key);
  return unit ? key.slice(0, -unit.suffix.length) : key;
}

/** Reads `512M`, `1.5GiB`, `30s` or a bare number into the unit; undefined when it is none of them. */
export function readQuantity(text: string, unit: Unit): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  if (!match) return undefined;
  const [, digits, letters = ""] = match;
  const scale = letters === "" ? unit.scale : scaleOf(letters, unit.kind);
  return scale === undefined ? undefined : Number(digits) * scale / unit.scale;
}

function scaleOf(letters: string, kind: Unit["kind"]): number | undefined {
  if (kind === "time") return TIMES[letters.toLowerCase() as keyof typeof TIMES];
  const letter = letters.toUpperCase().replace(/^([KMGT])(IB|B)$/, "$1");
  return SIZES[letter as keyof typeof SIZES];
}

/** `1.5 GiB`, `512 MiB`, `0 B`. */
export function formatBytes(bytes: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  let step = 0;
  while (bytes >= 1024 && step < names.length - 1) [bytes, step] = [bytes / 1024, step + 1];
  return `${bytes >= 100 ? Math.round(bytes) : Math.round(bytes * 10) / 10} ${names[step]}`;
}

/** `412 ms`, `3.2 s`, `5 min 12 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 100) / 10;
  if (seconds < 60) return `${seconds} s`;
  const whole = Math.round(seconds);
  const pair = (big: number, small: number, bigName: string, smallName: string) => {
    const rest = Math.floor((whole % big) / small);
    return `${Math.floor(whole / big)} ${bigName}${rest ? ` ${rest} ${smallName}` : ""}`;
  };
  if (whole < 3600) return pair(60, 1, "min", "s");
  if (whole < 86_400) return pair(3600, 60, "h", "min");
  return pair(86_400, 3600, "d", "h");
}
