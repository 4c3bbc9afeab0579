import assert from "node:assert/strict";
import { needsEarlyBoot } from "../../lib/guest/warm_user_data.ts";

const CASES: [title: string, userData: string, reason: string | undefined][] = [
  ["nothing", "", undefined],
  ["a script", "#!/bin/sh\necho bootcmd\n", undefined],
  ["runcmd, files, users", "#cloud-config\nruncmd: [x]\nwrite_files: []\nusers: []\n", undefined],
  ["a word of a value", "#cloud-config\nfinal_message: bootcmd\n", undefined],
  ...[
    "bootcmd",
    "disk_setup",
    "fs_setup",
    "mounts",
    "swap",
    "growpart",
    "resize_rootfs",
    "network",
  ].map((key): [string, string, string] => [
    key,
    `#cloud-config\nruncmd: [x]\n${key}: [y]\n`,
    `${key} must run early in the boot`,
  ]),
  ["a boothook", "#cloud-boothook\n#!/bin/sh\n", "#cloud-boothook must run early in the boot"],
  ["#include", "#include\nhttp://x/\n", "what #include fetches can't be seen before the boot"],
  [
    "#include-once",
    "#include-once\nhttp://x/\n",
    "what #include fetches can't be seen before the boot",
  ],
  [
    "jinja",
    "## template: jinja\n#cloud-config\nruncmd: [x]\n",
    "what a jinja template becomes can't be seen before the boot",
  ],
  [
    "a part handler",
    "#part-handler\nx = 1\n",
    "what a #part-handler does can't be seen before the boot",
  ],
  [
    "a patch",
    '#cloud-config-jsonp\n[{"op": "add", "path": "/bootcmd", "value": []}]\n',
    "what #cloud-config-jsonp changes can't be seen before the boot",
  ],
  [
    "an entry of an archive",
    '#cloud-config-archive\n- "#!/bin/sh"\n- {type: text/cloud-config, content: "bootcmd: [x]"}\n',
    "bootcmd must run early in the boot",
  ],
  [
    "a part of a message",
    multipart("text/cloud-config\n\nruncmd: [x]", "text/cloud-config\n\nmounts: [[a, b]]"),
    "mounts must run early in the boot",
  ],
  [
    "a compressed part",
    multipart("application/x-gzip\nContent-Transfer-Encoding: base64\n\nH4sIAAAA"),
    "a compressed part can't be seen before the boot",
  ],
];

function multipart(...parts: string[]): string {
  const head = 'Content-Type: multipart/mixed; boundary="b"\nMIME-Version: 1.0\n\n';
  return `${head}${parts.map((part) => `--b\nContent-Type: ${part}\n`).join("")}--b--\n`;
}

for (const [title, userData, reason] of CASES) {
  Deno.test(`user-data for a guest that has booted: ${title}`, async () => {
    assert.equal(await needsEarlyBoot(userData), reason);
  });
}

Deno.test("user-data that cloud-init would drop is refused here too", async () => {
  await assert.rejects(needsEarlyBoot("runcmd: [x]\n"), { code: "invalid_input" });
});
