import assert from "node:assert/strict";
import { join } from "node:path";
import { nido } from "../helpers/command.ts";
import { serveImages } from "../helpers/image_server.ts";
import { selfSigned } from "../helpers/self_signed.ts";
import { digestOf } from "./site.ts";

const NAME = "os-7.qcow2";

const sourcesAt = (at: string) =>
  `schemaVersion: 1
sources:
  - name: os
    title: OS
    description: An OS.
    homepage: https://os.example
    strategy: generic
    at: ${at}
    architectures: [x86_64]
    wanted: ["7"]
    file: "os-{version}.qcow2"
    checksums: SHA256SUMS
    user: os
    cloudInit: true
    guestAgent: false
`;

Deno.test("nido registry build: its exit status says what came of it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "nido-registry-" });
  const tls = await selfSigned();
  const line = (digest: string) => new TextEncoder().encode(`${digest.slice(7)}  ${NAME}\n`);
  const sums = { bytes: line(digestOf(NAME)) };
  await using server = serveImages({ SHA256SUMS: sums }, tls);
  const write = (name: string, text: string) => Deno.writeTextFile(join(folder, name), text);
  await write("cert.pem", tls.cert);
  const build = (...words: string[]) =>
    nido(["registry", "build", "--folder", folder, ...words], {
      home: join(folder, "home"),
      env: { DENO_CERT: join(folder, "cert.pem") },
    });
  try {
    const none = await build();
    assert.equal(none.code, 3);
    assert.match(none.stderr, /Cannot read .*sources\.yaml: there is no such file/);

    await write("sources.yaml", sourcesAt(server.url("")));
    const dry = await build("--dry-run");
    assert.equal(dry.code, 20);
    assert.match(dry.stdout, /^\+ os:7 x86_64 url https:\/\/127\.0\.0\.1:\d+\/os-7\.qcow2$/m);

    const first = await build("--json");
    assert.equal(first.code, 20);
    const { changed, needsPerson, problems } = JSON.parse(first.stdout).data;
    assert.deepEqual({ changed, needsPerson, problems }, {
      changed: true,
      needsPerson: false,
      problems: [],
    });

    const second = await build();
    assert.deepEqual([second.code, second.stdout], [
      0,
      `${join(folder, "images.json")} is as it was\n`,
    ]);

    sums.bytes = line(digestOf("another"));
    const held = await build();
    assert.equal(held.code, 21);
    assert.match(
      held.stdout,
      /^!! os:7 x86_64: its digest changed under an unchanged address, to /m,
    );
    const accepted = await build("--accept", "os:7");
    assert.equal(accepted.code, 20, accepted.stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
