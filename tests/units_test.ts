import assert from "node:assert/strict";
import { formatBytes, formatDuration, readQuantity, unitOf, withoutUnit } from "../lib/units.ts";

Deno.test("a key's ending is its unit", () => {
  assert.deepEqual(
    ["memoryMib", "sizeBytes", "timeoutSeconds", "durationMs", "image", "Ms"].map(withoutUnit),
    ["memory", "size", "timeout", "duration", "image", "Ms"],
  );
});

Deno.test("quantities are read in any unit of their kind, and nothing else", () => {
  const [mib, seconds, bytes] = ["memoryMib", "timeoutSeconds", "sizeBytes"].map((key) =>
    unitOf(key)!
  );
  const read = (text: string, unit = mib!) => readQuantity(text, unit);
  assert.deepEqual(
    ["1", "1M", "1MB", "1MiB", "1g", "1 G", "2048K", "0.5G"].map((text) => read(text)),
    [1, 1, 1, 1, 1024, 1024, 2, 512],
  );
  assert.deepEqual(
    ["", "G", "-1", "1X", "1GG", "1e3", "1s", "1Mi"].map((text) => read(text)),
    Array(8).fill(undefined),
  );
  assert.deepEqual(["90", "1500ms", "2m", "1d"].map((text) => read(text, seconds)), [
    90,
    1.5,
    120,
    86_400,
  ]);
  assert.equal(read("1M", bytes), 1_048_576);
});

Deno.test("sizes and durations are short", () => {
  const sizes = [0, 1023, 1024, 1536, 190 * 1024 ** 2, 20 * 1024 ** 3];
  assert.deepEqual(sizes.map(formatBytes), [
    "0 B",
    "1023 B",
    "1 KiB",
    "1.5 KiB",
    "190 MiB",
    "20 GiB",
  ]);
  const times = [0, 412.4, 3210, 59_990, 60_000, 312_000, 7_500_000, 277_200_000];
  assert.deepEqual(
    times.map(formatDuration),
    ["0 ms", "412 ms", "3.2 s", "1 min", "1 min", "5 min 12 s", "2 h 5 min", "3 d 5 h"],
  );
});
