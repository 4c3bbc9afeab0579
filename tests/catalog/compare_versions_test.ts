import assert from "node:assert/strict";
import { compareVersions } from "../../lib/catalog/compare_versions.ts";

/** Each list goes from the oldest to the newest. */
const ORDERS = [
  ["3.9", "3.10", "3.20", "3.20.1", "3.20.9", "3.20.10", "3.24"],
  ["v3.9", "v3.10", "v3.24"],
  ["8.10", "9", "9.7", "9.9", "9.10", "10", "10.2"],
  ["20200518", "20200518.1", "20260630.2", "20260706.0", "20260714.1"],
  ["20260712-2537", "20260712-2540", "20260806-2562"],
  ["9.7-20251123.2", "9.8-20260525.0", "9.10-20260101.0"],
  ["3.20.10-r0", "3.20.10-r1", "3.20.10-r10", "3.20.11-r0"],
  ["45 Beta", "45", "46 Beta"],
  ["15.1-BETA1", "15.1-RC1", "15.1-RC2", "15.1", "15.2-RC1"],
  ["12-rc1", "12", "12.1-rc1", "12.1-rc2", "12.1"],
  ["latest", "20260714.1"],
  ["rolling", "9"],
  ["9007199254740992", "9007199254740993"],
];

Deno.test("versions are ordered as people count", () => {
  for (const order of ORDERS) {
    for (const [at, one] of order.entries()) {
      for (const [place, other] of order.entries()) {
        const expected = Math.sign(at - place);
        assert.equal(Math.sign(compareVersions(one, other)), expected, `${one} and ${other}`);
      }
    }
    assert.deepEqual(order.toReversed().sort(compareVersions), order);
  }
});

Deno.test("zeros in front and the signs between numbers don't count", () => {
  assert.equal(compareVersions("24.04", "24.4"), 0);
  assert.equal(compareVersions("1.0-2", "1_0.2"), 0);
  assert.equal(compareVersions("RC1", "rc1"), 0);
  assert.equal(compareVersions("", ""), 0);
});

Deno.test("any three texts are ordered without a circle", () => {
  const parts = ["", "1", "2", "10", "rc", "beta", "1.rc", "1.1", "rc.1", "rc1", "2.rc2"];
  for (const a of parts) {
    for (const b of parts) {
      assert.equal(Math.sign(compareVersions(a, b)), 0 - Math.sign(compareVersions(b, a)));
      for (const c of parts) {
        if (compareVersions(a, b) > 0 || compareVersions(b, c) > 0) continue;
        assert.ok(compareVersions(a, c) <= 0, `${a} <= ${b} <= ${c}`);
      }
    }
  }
});
