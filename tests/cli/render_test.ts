import assert from "node:assert/strict";
import { renderResult } from "../../lib/cli/render.ts";

const heading = (text: string) => text;

Deno.test("fields are lines with their units spelled out", () => {
  const text = renderResult({
    name: "dev",
    memoryMib: 1024,
    sizeBytes: 190 * 1024 ** 2,
    durationMs: 3210,
    createdAt: "2026-05-01T10:00:00.123Z",
    running: true,
    absent: null,
    tags: ["a", "b"],
    labels: { team: "core" },
    none: {},
  });
  assert.equal(
    text,
    `name         dev
memory       1 GiB
size         190 MiB
duration     3.2 s
created      2026-05-01 10:00:00 UTC
running      yes
tags         a, b
labels team  core`,
  );
});

Deno.test("a list of records is a table; alone it has no title", () => {
  const vms = [{ name: "dev", state: "running" }, {
    name: "a-long-name",
    state: "stopped",
    port: 22,
  }];
  assert.equal(
    renderResult({ vms }),
    "NAME         STATE    PORT\ndev          running\na-long-name  stopped  22",
  );
  assert.equal(
    renderResult({ count: 2, vms: vms.slice(0, 1) }),
    "count  2\n\nvms\nNAME  STATE\ndev   running",
  );
  assert.equal(renderResult({ vms: [] }), "no vms");
});

Deno.test("columns that don't fit the terminal are left out from the right", () => {
  const vms = [{ name: "dev", state: "running", image: "debian-12-cloud" }];
  assert.equal(renderResult({ vms }, { width: 13, heading }), "NAME  STATE\ndev   running");
  assert.equal(renderResult({ vms }, { width: 12, heading }), "NAME\ndev");
  assert.equal(renderResult({ vms }, { width: 2, heading }), "NAME\ndev");
});

Deno.test("text from elsewhere can't steer the terminal", () => {
  assert.equal(renderResult({ name: "\x1b[2Jdev", list: ["a\x07"] }), "name  dev\nlist  a");
});
