import assert from "node:assert/strict";
import { copyText } from "../../lib/vm/copy_result.ts";

const nothing = { files: 0, folders: 0, links: 0, sizeBytes: 0, skipped: [] };

Deno.test("a copy is told in numbers that a person reads", () => {
  assert.equal(copyText({ ...nothing, files: 1, sizeBytes: 267 }), "copied 1 file, 267 B");
  assert.equal(
    copyText({
      ...nothing,
      files: 12,
      folders: 1,
      sizeBytes: 3_145_728,
      skipped: [{ path: "/srv/pipe", reason: "it is a named pipe" }],
    }),
    "copied 12 files, 1 folder, 3 MiB\n  left out /srv/pipe: it is a named pipe",
  );
});
