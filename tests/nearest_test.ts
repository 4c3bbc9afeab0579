import assert from "node:assert/strict";
import { nearest } from "../lib/nearest.ts";

Deno.test("the nearest word is found when it is near", () => {
  const words = ["spawn", "start", "stop", "list", "dev"];
  assert.equal(nearest("spwan", words), "spawn");
  assert.equal(nearest("stat", words), "start");
  assert.equal(nearest("sotp", words), "stop");
  assert.equal(nearest("lsit", words), "list");
  assert.equal(nearest("DEV", words), "dev");
  assert.equal(nearest("dve", words), "dev");
});

Deno.test("what is far from all of them suggests nothing", () => {
  assert.equal(nearest("kubernetes", ["spawn", "list"]), undefined);
  assert.equal(nearest("ab", ["xy"]), undefined);
  assert.equal(nearest("x", []), undefined);
});
