import assert from "node:assert/strict";
import { makeContext } from "../../lib/context.ts";
import { parsePort, parsePorts, PORT_FORM, portSpecs, withSshPort } from "../../lib/vm/port.ts";
import { checkPortsAreFree } from "../../lib/vm/port_taken.ts";

const plain = { address: "127.0.0.1", protocol: "tcp", label: undefined };

Deno.test("a port is read as label, guest, address, host and protocol", () => {
  assert.deepEqual(parsePort("80"), { ...plain, guest: 80, host: 0, isFixed: false });
  assert.deepEqual(parsePort("80:0"), { ...plain, guest: 80, host: 0, isFixed: false });
  assert.deepEqual(parsePort("80:8080"), { ...plain, guest: 80, host: 8080, isFixed: true });
  assert.deepEqual(parsePort("web:80"), {
    ...plain,
    label: "web",
    guest: 80,
    host: 0,
    isFixed: false,
  });
  assert.deepEqual(parsePort("web:80:8080"), {
    ...plain,
    label: "web",
    guest: 80,
    host: 8080,
    isFixed: true,
  });
  assert.deepEqual(parsePort("53:5353/udp"), {
    ...plain,
    protocol: "udp",
    guest: 53,
    host: 5353,
    isFixed: true,
  });
  assert.deepEqual(parsePort("80:0.0.0.0:8080"), {
    ...plain,
    address: "0.0.0.0",
    guest: 80,
    host: 8080,
    isFixed: true,
  });
  assert.deepEqual(parsePort("web:80:localhost:65535"), {
    ...plain,
    label: "web",
    guest: 80,
    host: 65535,
    isFixed: true,
  });
});

for (
  const spec of [
    "",
    "0",
    "0:8080",
    "65536",
    "80:70000",
    "80:1.2.3:8080",
    "80:1.2.3.256:8080",
    "a:b",
    "Web:80",
    "80/sctp",
    "-1:80",
    "80:",
    "1e3",
    "a:80:b:90",
  ]
) {
  Deno.test(`port ${JSON.stringify(spec)} is refused`, () => {
    assert.throws(() => parsePort(spec), {
      code: "invalid_input",
      message: `Cannot forward port ${JSON.stringify(spec)}: it is not ${PORT_FORM}`,
      hint: "nido spawn --port 80:8080",
    });
  });
}

Deno.test("what is used twice is refused, but tcp and udp are two", () => {
  const twice = (specs: string[], what: string) =>
    assert.throws(() => parsePorts(specs), {
      code: "invalid_input",
      message: `Cannot forward ${specs.at(-1)}: ${what} is used twice`,
    });
  twice(["80:8080", "81:8080"], "host port 8080");
  twice(["web:80", "web:81"], "label web");
  twice(["80", "80"], "guest port 80");
  assert.equal(parsePorts(["53:5353/udp", "53:5353", "80", "81", "80:8080"]).length, 5);
  assert.throws(() => parsePorts(["web:81"], [parsePort("web:80")]), { code: "invalid_input" });
});

Deno.test("guest port 22 on the loopback is always there, labelled ssh", () => {
  assert.deepEqual(withSshPort([]).map(({ label, guest }) => [label, guest]), [["ssh", 22]]);
  const named = withSshPort(parsePorts(["80", "22:2222"]));
  assert.deepEqual(named.map(({ label, guest, host }) => [label, guest, host]), [
    ["ssh", 22, 2222],
    [undefined, 80, 0],
  ]);
  const outside = withSshPort(parsePorts(["22:0.0.0.0:2222"]));
  assert.deepEqual(outside.map(({ label, address }) => [label, address]), [["ssh", "127.0.0.1"], [
    undefined,
    "0.0.0.0",
  ]]);
});

Deno.test("the label ssh is Nido's own: nobody opens SSH to the world or leads it astray by it", () => {
  for (const spec of ["ssh:22:0.0.0.0:2222", "ssh:80:8080", "ssh:22"]) {
    assert.throws(() => parsePort(spec), {
      code: "invalid_input",
      message: `Cannot forward port "${spec}": the label ssh is for Nido's own way in`,
      hint: "nido spawn --port 22:2222",
    });
  }
});

Deno.test("a host port that something listens on is refused, and who listens is told", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const context = makeContext("/nonexistent");
  const refused = checkPortsAreFree(context, parsePorts([`80:${port}`]), "spawn");
  await assert.rejects(refused, {
    code: "in_use",
    message: `Cannot spawn: port ${port} is taken on 127.0.0.1 by deno (pid ${Deno.pid})`,
    hint: "leave the host port out, and a free one is chosen",
  });
  await checkPortsAreFree(context, parsePorts([`80:${port}/udp`, "22"]), "spawn");
});

Deno.test("an address that this host does not have is refused", async () => {
  const refused = checkPortsAreFree(
    makeContext("/nonexistent"),
    parsePorts(["80:192.0.2.7:8080"]),
    "spawn",
  );
  await assert.rejects(refused, {
    code: "invalid_input",
    message: "Cannot spawn: this host has no address 192.0.2.7",
    hint: "leave the address out to use 127.0.0.1",
  });
});

Deno.test("a template's ports are specs without host ports, which can be read again", () => {
  const ports = withSshPort(
    parsePorts(["80:8080", "80:8081", "web:80:8082", "53:5353/udp", "dns:53/udp"]),
  );
  const specs = portSpecs(ports);
  assert.deepEqual(specs, ["80", "web:80", "53/udp", "dns:53/udp"]);
  assert.equal(parsePorts(specs).length, 4);
  const labelled = portSpecs(parsePorts(["web:80:8082", "80:8080"]));
  assert.deepEqual(labelled, ["web:80"]);
});
