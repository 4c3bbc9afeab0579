import assert from "node:assert/strict";
import { nest } from "../../helpers/nest.ts";

interface Shown {
  isShown: boolean;
  host: string;
  port: number;
  password: string;
}

Deno.test("a screen is shown on the loopback behind a password, and hidden again", async () => {
  await using home = await nest();
  await home.spawn("x");
  const first = await home.call<Shown>("vm.display", { name: "x", show: "on" });
  assert.deepEqual([first.isShown, first.host, first.password.length], [true, "127.0.0.1", 8]);
  assert.deepEqual(await securityTypes(first.port), [2], "VNC's password authentication alone");

  const again = await home.call<Shown>("vm.display", { name: "x", show: "on" });
  assert.notEqual(again.password, first.password);
  assert.deepEqual(await securityTypes(again.port), [2]);

  assert.deepEqual(await home.call("vm.display", { name: "x", show: "off" }), {
    name: "x",
    isShown: false,
  });
  for (const { port } of [first, again]) {
    await assert.rejects(
      Deno.connect({ hostname: "127.0.0.1", port }),
      Deno.errors.ConnectionRefused,
    );
  }
  assert.equal((await home.row("x"))?.state, "running");
});

/** What an RFB 3.8 server offers to a viewer. */
async function securityTypes(port: number): Promise<number[]> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const read = async (size: number) => {
    const bytes = new Uint8Array(size);
    for (let got = 0; got < size;) got += await connection.read(bytes.subarray(got)) ?? size;
    return bytes;
  };
  assert.equal(new TextDecoder().decode(await read(12)), "RFB 003.008\n");
  await connection.write(new TextEncoder().encode("RFB 003.008\n"));
  const [count = 0] = await read(1);
  return [...await read(count)];
}
