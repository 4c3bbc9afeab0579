import assert from "node:assert/strict";
import { cp, guestPath } from "../../lib/cli/cp.ts";
import { NidoError } from "../../lib/errors.ts";

Deno.test("a name before the first colon is a VM, unless a slash comes earlier", () => {
  assert.deepEqual(guestPath("dev:/srv/app"), { name: "dev", path: "/srv/app" });
  assert.deepEqual(guestPath("dev:a:b"), { name: "dev", path: "a:b" });
  assert.deepEqual(guestPath("dev:"), { name: "dev", path: "." });
  for (const local of ["app", "./a:b", "/a:b", "a/b:c", ":x", ""]) {
    assert.equal(guestPath(local), undefined, local);
  }
});

Deno.test("exactly one of the two paths is in a VM", async () => {
  const cases: [string[], string][] = [
    [["a"], "Cannot run cp: expected two paths, got 1"],
    [["a", "b", "dev:c"], "Cannot run cp: expected two paths, got 3"],
    [["a", "b"], "Cannot run cp: neither path is in a VM"],
    [["dev:a", "dev:b"], "Cannot run cp: both paths are in a VM; copy out first, then in"],
    [["--nope", "a", "dev:b"], "Cannot run cp: Unknown option '--nope'"],
  ];
  for (const [argv, message] of cases) {
    await assert.rejects(cp(argv), (error) => {
      assert.ok(error instanceof NidoError);
      assert.deepEqual([error.code, error.message, error.hint], [
        "invalid_input",
        message,
        "nido cp --help",
      ]);
      return true;
    });
  }
});
