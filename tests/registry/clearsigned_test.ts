import assert from "node:assert/strict";
import { Checksums } from "../../registry/builder/checksums.ts";

const A = "a1".repeat(32);
const FORGED = "0".repeat(64);
const ADDRESS = "https://images.example/CHECKSUM";

interface Parts {
  before?: string;
  header?: string;
  body?: string;
  signature?: string;
  after?: string;
}

function message({ before = "", header = "", body = "", signature, after = "" }: Parts): string {
  return `${before}-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256
${header}
SHA256 (x.img) = ${A}
${body}${
    signature ?? `-----BEGIN PGP SIGNATURE-----

iQIzBAEBCAAdFiEENvYS3PJ
-----END PGP SIGNATURE-----
`
  }${after}`;
}

const read = (parts: Parts) => new Checksums({ address: ADDRESS, text: message(parts) });

function refused(parts: Parts, fact: string): void {
  assert.throws(() => read(parts), {
    name: "NidoError",
    message: `Cannot use the signed text of ${ADDRESS}: ${fact}`,
  });
}

Deno.test("the signed part of a clearsigned file is read, and nothing of its armor", () => {
  assert.deepEqual(read({}).names, ["x.img"]);
  assert.equal(read({}).of("x.img").digest, `sha256:${A}`);
  const escaped = read({ body: `- # y.img: 7 bytes\n- SHA256 (y.img) = ${A}\n` });
  assert.deepEqual(escaped.of("y.img"), { digest: `sha256:${A}`, sizeBytes: 7 });
  const windows = message({}).replaceAll("\n", "\r\n");
  assert.deepEqual(new Checksums({ address: ADDRESS, text: windows }).names, ["x.img"]);
});

Deno.test("what nobody has signed is refused, wherever it is", () => {
  const forged = `SHA256 (x.img) = ${FORGED}\n`;
  refused({ header: forged }, "its header holds more than the name of a hash");
  refused({ header: "Comment: hello\n" }, "its header holds more than the name of a hash");
  refused({ before: forged }, "it does not begin with its signed message");
  refused({ before: "\n" }, "it does not begin with its signed message");
  refused({ after: forged }, "text follows its signature");
  refused({ after: message({}) }, "text follows its signature");
  refused({ body: "-----BEGIN PGP SIGNED MESSAGE-----\n" }, "another message is inside");
});

Deno.test("a message that was cut is refused", () => {
  const text = message({});
  for (let length = 0; length < text.length - 1; length++) {
    const page = { address: ADDRESS, text: text.slice(0, length) };
    assert.throws(() => new Checksums(page).of("x.img"), { code: "integrity" }, `at ${length}`);
  }
});
