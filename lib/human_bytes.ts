const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** A number of bytes as a person reads it: `1.5 GiB`. */
export function humanBytes(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
