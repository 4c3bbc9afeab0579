import assert from "node:assert/strict";
import { NidoError, openNido } from "../../lib/api/mod.ts";
import { operations } from "../../lib/operations.ts";

async function withNido(use: (nido: Awaited<ReturnType<typeof openNido>>) => Promise<void>) {
  const home = await Deno.makeTempDir({ prefix: "nido-api-" });
  try {
    await use(await openNido({ home }));
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("the library has every operation, by noun and verb", async () => {
  await withNido((nido) => {
    const methods = Object.entries(nido).flatMap(([noun, verbs]) =>
      Object.keys(verbs).map((verb) => `${noun}.${verb.replace(/[A-Z]/g, "_$&").toLowerCase()}`)
    );
    assert.deepEqual(methods.sort(), Object.keys(operations).sort());
    return Promise.resolve();
  });
});

Deno.test("a call checks its input, gives its typed result and throws what is wrong", async () => {
  await withNido(async (nido) => {
    assert.deepEqual((await nido.vm.list()).vms, []);
    await nido.config.set({ key: "memory", value: "1G" });
    const { value } = await nido.config.get({ key: "memory" });
    assert.equal(value, 1024);
    await assert.rejects(nido.vm.info({ name: "nobody" }), (error) => {
      assert.ok(error instanceof NidoError);
      assert.deepEqual([error.code, error.message], ["not_found", 'No VM "nobody"']);
      return true;
    });
    // @ts-expect-error a name is text
    await assert.rejects(nido.vm.info({ name: 5 }), { code: "invalid_input" });
  });
});

Deno.test("a call hears its signal", async () => {
  await withNido(async (nido) => {
    const signal = AbortSignal.abort();
    await assert.rejects(nido.vm.list({}, { signal }), { code: "cancelled" });
  });
});
