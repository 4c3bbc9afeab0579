import assert from "node:assert/strict";
import { keepHouse } from "../../../mcp/housekeeping.ts";
import { makeService } from "../../../mcp/service.ts";
import { nest } from "../../helpers/nest.ts";

const LONG_MS = 30_000;

Deno.test("a running server ends leases that are over though nobody calls", async () => {
  await using at = await nest();
  await at.spawn("short", { ttlSeconds: 1 });
  await at.spawn("free");
  const service = await makeService({ home: at.home });
  {
    await using _house = keepHouse(service, 50);
    await appears(at.at("short", "suspended"));
  }
  assert.equal((await at.row("short"))?.state, "suspended");
  assert.equal((await at.row("free"))?.state, "running");
});

Deno.test("its end closes the connections that calls have left", async () => {
  const service = await makeService({ home: "/nowhere" });
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const close = () => (resolve(), closed);
  {
    await using _house = keepHouse(service);
    await service.idle.leave("a guest", { closed, close });
  }
  await closed;
});

async function appears(path: string): Promise<void> {
  const since = Date.now();
  while (!await Deno.stat(path).then(() => true, () => false)) {
    if (Date.now() - since > LONG_MS) assert.fail(`${path} never appeared`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
