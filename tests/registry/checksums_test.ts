import assert from "node:assert/strict";
import { NidoError } from "../../lib/errors.ts";
import { Checksums } from "../../registry/builder/checksums.ts";

const A = "a1".repeat(32);
const B = "b2".repeat(32);
const LONG = "c3".repeat(64);
const ADDRESS = "https://images.example/SHA256SUMS";

function checksums(...lines: string[]): Checksums {
  return new Checksums({ address: ADDRESS, text: lines.join("\n") });
}

function refused(fact: string, ...lines: string[]): void {
  assert.throws(() => checksums(...lines).of("x.img"), (thrown) => {
    assert.ok(thrown instanceof NidoError);
    assert.equal(thrown.code, "integrity");
    assert.equal(thrown.message, `Cannot use the checksums of ${ADDRESS}: ${fact}`);
    return true;
  });
}

Deno.test("each form of a line is read", () => {
  for (
    const line of [
      `${A} *x.img`,
      `${A}  x.img`,
      `${A} x.img`,
      `${A}\tx.img`,
      `${A}  ./x.img`,
      `${A.toUpperCase()}  x.img`,
      `SHA256 (x.img) = ${A}`,
      `SHA256 (./x.img) = ${A}`,
      `${A}  x.img\r`,
      `${A}  x.img\n`,
      `\n\n${A}  x.img\n${B}  y.img`,
    ]
  ) assert.deepEqual(checksums(line).of("x.img"), { digest: `sha256:${A}` }, line);
});

Deno.test("a comment of a size is a size and no digest; other comments are nothing", () => {
  const read = checksums("# made today", "# x.img: 645988352 bytes", `SHA256 (x.img) = ${A}`);
  assert.deepEqual(read.of("x.img"), { digest: `sha256:${A}`, sizeBytes: 645_988_352 });
  assert.deepEqual(checksums("# x.img: 0 bytes", `${A}  x.img`).of("x.img"), {
    digest: `sha256:${A}`,
  });
  refused(
    "it has two different sizes of x.img",
    "# x.img: 1 bytes",
    "# x.img: 2 bytes",
    `${A}  x.img`,
  );
});

Deno.test("of several algorithms the strongest counts, and weak ones don't", () => {
  const weak = [`${"1".repeat(32)}  x.img`, `${"2".repeat(40)}  x.img`];
  const all = ["# MD5 HASH", weak[0]!, "# SHA1 HASH", weak[1]!, `${A}  x.img`, `${LONG}  x.img`];
  assert.deepEqual(checksums(...all).of("x.img"), { digest: `sha512:${LONG}` });
  refused("it has no SHA-256 or SHA-512 of x.img", ...weak);
  refused("it has no SHA-256 or SHA-512 of x.img", `MD5 (x.img) = ${"1".repeat(32)}`);
});

Deno.test("the whole name counts", () => {
  const lines = [`${A}  x.img.torrent`, `${B}  dir/x.img`, `${B}  y-x.img`];
  refused("it has no SHA-256 or SHA-512 of x.img", ...lines);
});

Deno.test("the same digest twice is one; two different ones are none", () => {
  const twice = [`${A}  x.img`, `SHA256 (x.img) = ${A}`];
  assert.deepEqual(checksums(...twice).of("x.img"), { digest: `sha256:${A}` });
  refused("it has two different digests of x.img", `${A}  x.img`, `${B}  x.img`);
  refused("it has two different digests of x.img", `${A}  x.img`, `${B} *./x.img`);
});

Deno.test("a bare digest is one of a file's only, and of nothing else", () => {
  assert.deepEqual(checksums(LONG).ofItsOnly("x.img"), { digest: `sha512:${LONG}` });
  assert.deepEqual(checksums(`${A}\n`).ofItsOnly("x.img"), { digest: `sha256:${A}` });
  assert.deepEqual(checksums(`${A}  x.img`).ofItsOnly("x.img"), { digest: `sha256:${A}` });
  assert.throws(() => checksums(`${A}  y.img`).ofItsOnly("x.img"), /it has no SHA-256/);
  refused("it has no SHA-256 or SHA-512 of x.img", A);
  refused("it has two digests without a name", A, B);
  refused("a digest has no name and others have", A, `${B}  x.img`);
});

Deno.test("one line that is no checksum makes the file unreadable", () => {
  for (
    const line of [
      "<html>404 Not Found</html>",
      `${A.slice(1)}  x.img`,
      `${A}0  x.img`,
      `${A}g  x.img`,
      `${A}  x.img y.img`,
      `${A}   x.img`,
      `${A} **x.img`,
      ` ${A}  x.img`,
      `\\${A}  x.img`,
      `SHA256 (x.img) = ${A.slice(2)}`,
      `SHA512 (x.img) = ${A}`,
      `SHA256 (x.img) = ${LONG}`,
      `SHA256 (x.img)) = ${A}`,
      `SHA256(x.img)= ${A}`,
      "1".repeat(32),
    ]
  ) refused("line 2 is no checksum", `${A}  x.img`, line);
});
