import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { errorOf, leftovers, nest, refuses } from "../../helpers/nest.ts";

interface Spawned {
  ports: { host: number; guest: number; protocol: string }[];
}

/** Takes a port of this protocol, by default any free one, and keeps it until the test ends. */
async function occupy(
  protocol: "tcp" | "udp",
  wanted = 0,
): Promise<{ port: number } & AsyncDisposable> {
  if (protocol === "tcp") {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: wanted });
    const { port } = listener.addr as Deno.NetAddr;
    // deno-lint-ignore require-await
    return { port, [Symbol.asyncDispose]: async () => listener.close() };
  }
  const socket = createSocket("udp4");
  await new Promise<void>((bound) => socket.bind(wanted, "127.0.0.1", bound));
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]: () => new Promise((closed) => socket.close(() => closed())),
  };
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  await using free = await occupy("tcp");
  return free.port;
}

for (const protocol of ["tcp", "udp"] as const) {
  Deno.test(`a ${protocol} port that another program has is in_use, and nothing is left`, async () => {
    await using home = await nest();
    await using taken = await occupy(protocol);
    const spec = `80:${taken.port}/${protocol}`;
    const said = await home.nido(["spawn", "x", "--port", spec, "--wait", "running", "--json"]);
    assert.equal(said.code, 6);
    const { code, message } = errorOf(said);
    assert.equal(code, "in_use");
    const doing = protocol === "tcp" ? "spawn" : 'start VM "x"';
    const shape = `^Cannot ${doing}: port ${taken.port} is taken on 127.0.0.1( by .+)?$`;
    assert.match(message, new RegExp(shape));
    await home.assertEmpty();
  });
}

Deno.test("a port that was chosen and is taken meanwhile is chosen anew and recorded", async () => {
  await using home = await nest();
  await home.spawn("x", { ports: ["80", "53/udp"] });
  const before = await home.call<Spawned>("vm.info", { name: "x" });
  await home.call("vm.stop", { name: "x", force: true });
  const kept = await home.call<Spawned>("vm.start", { name: "x", wait: "running" });
  assert.deepEqual(kept.ports, before.ports, "free ports stay");
  await home.call("vm.stop", { name: "x", force: true });

  const [ssh, web, dns] = before.ports.map(({ host }) => host) as [number, number, number];
  await using _ssh = await occupy("tcp", ssh);
  await using _web = await occupy("tcp", web);
  await using _dns = await occupy("udp", dns);
  const started = await home.call<Spawned>("vm.start", { name: "x", wait: "running" });
  for (const [index, port] of started.ports.entries()) {
    assert.notEqual(port.host, before.ports[index]!.host);
    assert.ok(port.host > 0);
  }
  assert.deepEqual((await home.call<Spawned>("vm.info", { name: "x" })).ports, started.ports);
});

Deno.test("two VMs with one fixed port: the second is refused while the first runs", async () => {
  await using home = await nest();
  const port = await freePort();
  await home.spawn("first", { ports: [`80:${port}`] });
  const message = `Cannot spawn: port ${port} is taken on 127.0.0.1 by VM "first"`;
  await refuses(home.spawn("second", { ports: [`80:${port}`] }), "in_use", message);
  await home.call("vm.stop", { name: "first", force: true });
  await home.spawn("second", { ports: [`80:${port}`] });
  await refuses(
    home.call("vm.start", { name: "first", wait: "running" }),
    "in_use",
    `Cannot start VM "first": port ${port} is taken on 127.0.0.1 by VM "second"`,
  );
  assert.equal((await home.row("first"))?.state, "stopped");
  await home.call("vm.delete", { names: ["second"], force: true });
  await home.call("vm.start", { name: "first", wait: "running" });
  await home.call("vm.delete", { names: ["first"], force: true });
  await home.assertEmpty();
});

Deno.test("ports that were opened for a change that was never recorded are closed by the next", async () => {
  await using home = await nest();
  await home.spawn("x");
  const port = await freePort();
  const record = await Deno.readTextFile(home.at("x", "record"));
  await home.call("vm.set", { name: "x", ports: [`80:${port}`] });
  await Deno.writeTextFile(home.at("x", "record"), record); // as a kill before the writing leaves it
  await home.call("vm.set", { name: "x", ports: [`80:${port}`] });
  const { ports } = await home.call<Spawned>("vm.info", { name: "x" });
  const { host, guest, protocol } = ports.at(-1)!;
  assert.deepEqual({ host, guest, protocol }, { host: port, guest: 80, protocol: "tcp" });
  await home.call("vm.set", { name: "x", removePorts: ["80"] });
  using _free = Deno.listen({ hostname: "127.0.0.1", port });
});

Deno.test("ports that no machine can have are refused", async () => {
  await using home = await nest();
  for (const spec of ["0", "70000", "1:70000", "x", "80:", "8.8.8.8:80:80", "80/icmp", "-1"]) {
    const error = await home.spawn("x", { ports: [spec] }).catch((error) => error);
    assert.equal(error.code, "invalid_input", spec);
    assert.match(error.message, /^Cannot (forward port|run vm.spawn)/);
  }
  assert.deepEqual(await leftovers(home.home), []);
});
