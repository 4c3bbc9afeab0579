import assert from "node:assert/strict";
import githubRelease from "../../registry/builder/strategies/github_release.ts";
import { answering, digestOf } from "./site.ts";

const AT = "https://api.github.com/repos/nido/flavours/";
const DOWNLOADS = "https://github.com/nido/flavours/releases/download";

interface Given {
  tag: string;
  assets: string[];
  draft?: boolean;
  prerelease?: boolean;
}

/** The pages of GitHub's API and the checksum files, for releases with these files. */
function github(releases: Given[]): Record<string, string> {
  const answers: Record<string, string> = {};
  const entries = releases.map(({ tag, assets, ...rest }) => ({
    tag_name: tag,
    html_url: `https://github.com/nido/flavours/releases/tag/${tag}`,
    ...rest,
    assets: assets.map((name) => ({
      name,
      size: name.length * 10,
      browser_download_url: `${DOWNLOADS}/${tag}/${name}`,
    })),
  }));
  for (const { tag, assets } of releases) {
    for (const name of assets.filter((name) => name.endsWith(".sha256"))) {
      const of = name.replace(/\.sha256$/, "");
      answers[`${DOWNLOADS}/${tag}/${name}`] = `${digestOf(of).slice(7)}  ${of}\n`;
    }
  }
  for (let page = 1; page <= Math.floor(entries.length / 100) + 1; page++) {
    const part = entries.slice((page - 1) * 100, page * 100);
    answers[`${AT}releases?per_page=100&page=${page}`] = JSON.stringify(part);
  }
  return answers;
}

async function discover(
  releases: Given[],
  suffixes = { x86_64: "", aarch64: "-aarch64" },
  answers = github(releases),
) {
  const source = {
    at: AT,
    architectures: ["x86_64" as const],
    firmware: { x86_64: "bios" as const, aarch64: "uefi" as const },
    flavour: "desk",
    suffixes,
  };
  return await githubRelease.discover(source, answering(answers));
}

const whole = (name: string) => [name, `${name}.sha256`];

Deno.test("github-release: a whole file, its version in its name", async () => {
  const name = "flavour-desk-v1.10.qcow2";
  assert.deepEqual(
    await discover([
      { tag: "b", assets: whole("flavour-desk-v1.9.qcow2") },
      { tag: "a", assets: [...whole(name), ...whole("flavour-desktop-v9.qcow2"), "notes.txt"] },
    ]),
    [{
      version: "1.10",
      rolling: true,
      builds: {
        x86_64: {
          url: `${DOWNLOADS}/a/${name}`,
          sizeBytes: name.length * 10,
          digest: digestOf(name),
        },
      },
    }],
  );
});

Deno.test("github-release: parts in their order, one digest for all of them", async () => {
  const name = "flavour-desk.qcow2";
  const parts = ["002", "001", "003"].map((part) => `${name}.${part}`);
  const [version] = await discover([{ tag: "v2.1", assets: [...parts, `${name}.sha256`] }]);
  assert.deepEqual(version, {
    version: "2.1",
    rolling: true,
    builds: {
      x86_64: {
        url: "https://github.com/nido/flavours/releases/tag/v2.1",
        partUrls: ["001", "002", "003"].map((part) => `${DOWNLOADS}/v2.1/${name}.${part}`),
        sizeBytes: 3 * 10 * (name.length + 4),
        digest: digestOf(name),
      },
    },
  });
});

Deno.test("github-release: a packed file, also in parts", async () => {
  const name = "flavour-desk-v3.qcow2.zst";
  const [one] = await discover([{ tag: "v3", assets: whole(name) }]);
  const url = `${DOWNLOADS}/v3/${name}`;
  const sizeBytes = name.length * 10;
  const digest = digestOf(name);
  assert.deepEqual(one!.builds.x86_64, { url, sizeBytes, digest, packing: "zst" });
  const parts = ["000", "001"].map((part) => `${name}.${part}`);
  const [two] = await discover([{ tag: "v3", assets: [...parts, `${name}.sha256`] }]);
  assert.deepEqual(two!.builds.x86_64, {
    url: "https://github.com/nido/flavours/releases/tag/v3",
    partUrls: parts.map((part) => `${DOWNLOADS}/v3/${part}`),
    sizeBytes: 2 * 10 * (name.length + 4),
    digest,
    packing: "zst",
  });
});

Deno.test("github-release: all pages are read", async () => {
  const others = Array.from({ length: 230 }, (_, at) => ({ tag: `other-${at}`, assets: ["x"] }));
  const [version] = await discover([
    ...others,
    { tag: "v1", assets: whole("flavour-desk-v1.qcow2") },
  ]);
  assert.equal(version!.version, "1");
});

Deno.test("github-release: drafts and candidates don't count", async () => {
  const [version] = await discover([
    { tag: "v4", assets: whole("flavour-desk-v4.qcow2"), prerelease: true },
    { tag: "v3", assets: whole("flavour-desk-v3.qcow2"), draft: true },
    { tag: "v2", assets: whole("flavour-desk-v2.qcow2") },
  ]);
  assert.equal(version!.version, "2");
});

Deno.test("github-release: what is not whole is refused", async () => {
  const name = "flavour-desk-v1.qcow2";
  const page = "https://github.com/nido/flavours/releases/tag/v1";
  const cases: [string[], string][] = [
    [[name], `Cannot use ${name}: ${page} has no ${name}.sha256`],
    [
      [`${name}.001`, `${name}.003`, `${name}.sha256`],
      `Cannot use ${name}: ${page} lacks parts of it`,
    ],
    [
      [`${name}.002`, `${name}.003`, `${name}.sha256`],
      `Cannot use ${name}: ${page} lacks parts of it`,
    ],
    [[`${name}.001`, `${name}.sha256`], `Cannot use ${name}: ${page} lacks parts of it`],
    [["x.qcow2"], `Cannot find flavour-desk: no release of ${AT} has it`],
  ];
  for (const [assets, message] of cases) {
    await assert.rejects(discover([{ tag: "v1", assets }]), { code: "unavailable", message });
  }
});

Deno.test("github-release: each architecture has its own file", async () => {
  const suffixes = { x86_64: "-amd64", aarch64: "-arm64" };
  const [version] = await discover([
    {
      tag: "v1",
      assets: [...whole("flavour-desk-arm64-v1.qcow2"), ...whole("flavour-desk-amd64-v1.qcow2")],
    },
  ], suffixes);
  assert.match((version!.builds.x86_64 as { url: string }).url, /flavour-desk-amd64-v1\.qcow2$/);
});

Deno.test("github-release: an address that ends in another name is another file's", async () => {
  const name = "flavour-desk-v1.qcow2";
  const releases = [{ tag: "v1", assets: whole(name) }];
  for (const file of [name, `${name}.sha256`]) {
    const answers = github(releases);
    const page = `${AT}releases?per_page=100&page=1`;
    const address = `${DOWNLOADS}/v1/other-${file}`;
    answers[page] = answers[page]!.replace(`"${DOWNLOADS}/v1/${file}"`, JSON.stringify(address));
    await assert.rejects(discover(releases, undefined, answers), {
      message: `Cannot use ${file}: its address is ${address}`,
    });
  }
});
