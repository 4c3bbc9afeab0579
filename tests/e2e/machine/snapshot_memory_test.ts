import assert from "node:assert/strict";
import { MARCH } from "../../helpers/boot_sector.ts";
import { type Nest, nest } from "../../helpers/nest.ts";

Deno.test("what a running guest writes while its memory is copied is in the copy, or all of it is not", async () => {
  await using home = await nest();
  await home.importProgram("march", MARCH);
  await home.spawn("a", { image: "march" });
  await marches(home, "a");
  for (const label of ["s1", "s2", "s3"]) {
    await home.call("snapshot.create", { name: "a", label });
    await marches(home, "a");
    await home.call("snapshot.restore", { name: "a", label });
    await marches(home, "a");
  }
  await home.call("vm.fork", { name: "a", into: ["b"] });
  await marches(home, "b");
});

/** Gives a guest time for many rounds, and asserts that it found nothing wrong. */
async function marches(home: Nest, name: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { text } = await home.call<{ text: string }>("vm.logs", { name });
  assert.doesNotMatch(text, /B$/m, `"${name}" lost what it had written`);
}
