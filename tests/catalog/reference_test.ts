import assert from "node:assert/strict";
import { parseReference } from "../../lib/catalog/reference.ts";
import { digestOf } from "./sample.ts";

const digest = digestOf("a");

Deno.test("a reference is a name, a version and a digest, or an address and a digest", () => {
  const name = (text: string) => parseReference(text);
  assert.deepEqual(name("debian"), {
    kind: "name",
    name: "debian",
    version: undefined,
    digest: undefined,
  });
  assert.deepEqual(name(`debian:12@${digest}`), {
    kind: "name",
    name: "debian",
    version: "12",
    digest,
  });
  assert.deepEqual(name(`https://a.example/x.qcow2?a=b@${digest}`), {
    kind: "url",
    url: "https://a.example/x.qcow2?a=b",
    digest,
  });
  const sha512 = `sha512:${"0".repeat(128)}`;
  assert.equal(name(`debian@${sha512}`).digest, sha512);
});

Deno.test("what is no reference is refused with the reason", () => {
  const cases: [string, string][] = [
    ["Debian", "a name has a-z 0-9 . _ - and one colon before the version"],
    ["debian:12:13", "a name has a-z 0-9 . _ - and one colon before the version"],
    ["", "a name has a-z 0-9 . _ - and one colon before the version"],
    ["../x", "a name has a-z 0-9 . _ - and one colon before the version"],
    ["debian@sha256:12", "use sha256:<64 hex digits> or sha512:<128 hex digits>"],
    [`debian@sha1:${"0".repeat(40)}`, "use sha256:<64 hex digits> or sha512:<128 hex digits>"],
    ["https://", "it is no address"],
    ["https://me:word@a.example/x", "an address with a password would be kept in records"],
  ];
  for (const [text, fact] of cases) {
    assert.throws(() => parseReference(text), {
      code: "invalid_input",
      message: `Cannot use image reference ${JSON.stringify(text)}: ${fact}`,
    });
  }
});
