import assert from "node:assert/strict";
import generic from "../../registry/builder/strategies/generic.ts";
import { answering, digestOf } from "./site.ts";

const AT = "https://images.example/";
const place = {
  at: AT,
  architectures: ["x86_64" as const, "aarch64" as const],
  firmware: { x86_64: "bios" as const, aarch64: "uefi" as const },
};

Deno.test("generic: versions and architectures fill a pattern", async () => {
  const options = generic.options.parse({
    wanted: ["7"],
    file: "{version}/os-{version}-{architecture}.qcow2",
    checksums: "{version}/os-{version}-{architecture}.qcow2.sha256",
    words: { x86_64: "amd64", aarch64: "arm64" },
  });
  const name = "os-7-amd64.qcow2";
  const fetch = answering({ [`${AT}7/${name}.sha256`]: digestOf(name).slice(7) });
  assert.deepEqual(await generic.discover({ ...place, ...options }, fetch), [{
    version: "7",
    builds: {
      x86_64: { url: `${AT}7/${name}`, digest: digestOf(name) },
      aarch64: {
        failed: `Cannot fetch ${AT}7/os-7-arm64.qcow2.sha256: the server answers 404`,
      },
    },
  }]);
});

Deno.test("generic: the newest build of a folder's list is filled in", async () => {
  const options = generic.options.parse({
    wanted: ["7"],
    file: "{version}/{build}/os-{build}-{architecture}.qcow2",
    checksums: "{version}/{build}/SHA256SUMS",
    builds: { folder: "{version}/", pattern: "(\\d{8}\\.\\d+)/" },
  });
  const names = ["x86_64", "aarch64"].map((word) => `os-20260101.10-${word}.qcow2`);
  const fetch = answering({
    [`${AT}7/`]: '<a href="20260101.9/">9</a><a href="20260101.10/">10</a><a href="latest/">l</a>',
    [`${AT}7/20260101.10/SHA256SUMS`]: names.map((name) => `${digestOf(name).slice(7)} *${name}\n`)
      .join(""),
  });
  const builtAt = "2026-01-01T00:00:00Z";
  const url = (name: string) => `${AT}7/20260101.10/${name}`;
  assert.deepEqual(await generic.discover({ ...place, ...options }, fetch), [{
    version: "7",
    builds: {
      x86_64: { url: url(names[0]!), digest: digestOf(names[0]!), builtAt },
      aarch64: { url: url(names[1]!), digest: digestOf(names[1]!), builtAt },
    },
  }]);
});

Deno.test("generic: a pattern must be one, with a group", () => {
  const parse = (pattern: string) =>
    generic.options.safeParse({
      wanted: ["7"],
      file: "x",
      checksums: "y",
      builds: { folder: "", pattern },
    }).error?.issues.at(-1)?.message;
  assert.equal(parse("\\d+/"), "needs a group around the build");
  assert.equal(parse("(\\d+/[)"), "is no regular expression");
});

Deno.test("generic: an address that leads out of its place is refused", async () => {
  const options = generic.options.parse({
    wanted: ["7"],
    file: "../../{version}.qcow2",
    checksums: "//evil.example/{version}",
  });
  const [version] = await generic.discover(
    { ...place, at: `${AT}a/b/`, ...options },
    answering({}),
  );
  assert.deepEqual(version!.builds.x86_64, {
    failed: `Cannot use "../../7.qcow2": it is not below ${AT}a/b/`,
  });
});
