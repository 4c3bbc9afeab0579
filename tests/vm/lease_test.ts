import assert from "node:assert/strict";
import { makeContext } from "../../lib/context.ts";
import { isOver, leaseFor } from "../../lib/vm/lease.ts";

const NOON = Date.parse("2026-02-03T12:00:00.000Z");
const context = makeContext("/nowhere", { now: () => new Date(NOON) });
const at = (seconds: number) => new Date(NOON + seconds * 1000);

Deno.test("a lease is over when its time has come", () => {
  const lease = leaseFor(context, { ttlSeconds: 60 }, 5000)!;
  assert.deepEqual(lease, {
    expiresAt: "2026-02-03T12:01:00.000Z",
    onExpiry: "suspend",
    ttlSeconds: 60,
    uptimeSeconds: 5000,
  });
  assert.deepEqual([59, 60, 61].map((second) => isOver(lease, at(second), 5000 + second)), [
    false,
    true,
    true,
  ]);
  assert.equal(leaseFor(context, { ttlSeconds: 0 }), undefined);
  assert.equal(leaseFor(context, {}), undefined);
});

Deno.test("a clock that jumps suspends too early at worst, and deletes nothing", () => {
  const suspends = leaseFor(context, { ttlSeconds: 60 }, 5000)!;
  const deletes = leaseFor(context, { ttlSeconds: 60, onExpiry: "delete" }, 5000)!;
  assert.equal(isOver(suspends, at(999_999), 5001), true);
  assert.equal(isOver(deletes, at(999_999), 5001), false);
  assert.equal(isOver(deletes, at(999_999), 5060), true);
  assert.equal(isOver(deletes, at(-999_999), 5060), false);
  assert.equal(isOver(deletes, at(60), 12), true, "this host was restarted meanwhile");
});
