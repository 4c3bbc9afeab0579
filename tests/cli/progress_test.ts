import assert from "node:assert/strict";
import { Words } from "../../lib/cli/progress.ts";

const MIB = 1024 * 1024;

/** The words after each of some reports of a download: milliseconds, MiB. */
function download(reports: [number, number][], total?: number): string[] {
  const words = new Words();
  return reports.map(([at, mib]) => {
    const report = { stage: "download", message: "Downloading debian:12" };
    words.hear({ ...report, done: mib * MIB, total: total && total * MIB }, at);
    return words.tell();
  });
}

Deno.test("a download tells bytes, rate and the time that is left", () => {
  assert.deepEqual(download([[0, 1], [400, 5], [1000, 21], [2000, 41], [3000, 100]], 100), [
    "Downloading debian:12 ░░░░░░░░░░ 1 MiB of 100 MiB",
    "Downloading debian:12 █░░░░░░░░░ 5 MiB of 100 MiB",
    "Downloading debian:12 ██░░░░░░░░ 21 MiB of 100 MiB, 20 MiB/s, 4 s left",
    "Downloading debian:12 ████░░░░░░ 41 MiB of 100 MiB, 20 MiB/s, 3 s left",
    "Downloading debian:12 ██████████ 100 MiB of 100 MiB, 33 MiB/s",
  ]);
});

Deno.test("the rate is that of the last seconds", () => {
  const [, , last] = download([[0, 0], [60_000, 600], [64_000, 604]], 1000);
  assert.equal(
    last,
    "Downloading debian:12 ██████░░░░ 604 MiB of 1000 MiB, 1 MiB/s, 6 min 36 s left",
  );
  const [, , , again] = download([[0, 0], [1000, 50], [1100, 0], [2100, 10]], 100);
  assert.equal(again, "Downloading debian:12 █░░░░░░░░░ 10 MiB of 100 MiB, 10 MiB/s, 9 s left");
});

Deno.test("a download of unknown length has no bar, a stalled one no time", () => {
  assert.deepEqual(download([[0, 0], [1000, 10]])[1], "Downloading debian:12 10 MiB, 10 MiB/s");
  assert.deepEqual(
    download([[0, 10], [1000, 10]], 100)[1],
    "Downloading debian:12 █░░░░░░░░░ 10 MiB of 100 MiB, 0 B/s",
  );
});

Deno.test("other stages are told as ever", () => {
  const words = new Words();
  words.hear({ stage: "copy", message: "Reading\n\x1b[31mdisk", done: 5, total: 20 }, 0);
  assert.equal(words.tell(), "copy: Reading disk █████░░░░░░░░░░░░░░░ 25%");
  words.hear({ stage: "copy", message: "Copying", done: 2048 }, 0);
  assert.equal(words.tell(), "copy: Copying 2 KiB");
  words.hear({ stage: "qemu", message: "hatching" }, 0);
  assert.equal(words.tell(), "qemu: hatching");
});
