import assert from "node:assert/strict";
import { friendlyName } from "../../lib/friendly_name.ts";
import { vmName } from "../../lib/vm/name.ts";

const RULE =
  "a VM's name is 1 to 63 lowercase letters, digits and hyphens, with no hyphen at either end";

for (
  const name of [
    "",
    "../x",
    "/etc/passwd",
    "a".repeat(65),
    "a".repeat(64),
    "wrén",
    "-x",
    "x-",
    "Web",
    "a b",
    "a/b",
    "a.b",
    ".",
    "..",
    "a\n",
    "a\u0000b",
  ]
) {
  Deno.test(`${JSON.stringify(name)} is no name for a VM`, () => {
    const parsed = vmName.safeParse(name);
    assert.equal(parsed.error?.issues[0]?.message, RULE);
  });
}

Deno.test("plain names are fine", () => {
  for (const name of ["a", "7", "web", "web-1", "a".repeat(63)]) {
    assert.equal(vmName.parse(name), name);
  }
});

Deno.test("friendly names are legal, and get a number when plain ones were taken", () => {
  for (let round = 0; round < 200; round++) {
    assert.match(vmName.parse(friendlyName(0)), /^[a-z]+-[a-z]+$/);
    assert.match(vmName.parse(friendlyName(5)), /^[a-z]+-[a-z]+-\d+$/);
  }
});
