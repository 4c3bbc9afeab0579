import assert from "node:assert/strict";
import { nearestName } from "../lib/nearest_name.ts";

Deno.test("the nearest name is the one with the fewest slips", () => {
  assert.equal(nearestName("debain", ["ubuntu", "debian", "debian:12"]), "debian");
  assert.equal(nearestName("ubunut", ["ubuntu", "debian"]), "ubuntu");
  assert.equal(nearestName("dev", ["dec", "deb"]), "deb");
});

Deno.test("a name that is far from all suggests nothing", () => {
  assert.equal(nearestName("alpine", ["ubuntu", "debian"]), undefined);
  assert.equal(nearestName("a", ["bcd"]), undefined);
  assert.equal(nearestName("x", []), undefined);
});
