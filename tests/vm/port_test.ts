import assert from "node:assert/strict";
import { checkPortsAreFree, parsePort, parsePorts } from "../../lib/vm/port.ts";

const FORMS =
  "PORT, HOST:GUEST or 127.0.0.1:HOST:GUEST, each with /udp if wanted, ports 1 to 65535";

Deno.test("a port is forwarded from a named or a free host port", () => {
  assert.deepEqual(parsePort("80"), { host: 0, guest: 80, protocol: "tcp", isFixed: false });
  assert.deepEqual(parsePort("0:80"), { host: 0, guest: 80, protocol: "tcp", isFixed: false });
  assert.deepEqual(parsePort("8080:80"), { host: 8080, guest: 80, protocol: "tcp", isFixed: true });
  assert.deepEqual(parsePort("5353:53/udp"), {
    host: 5353,
    guest: 53,
    protocol: "udp",
    isFixed: true,
  });
  assert.deepEqual(parsePort("127.0.0.1:65535:1"), {
    host: 65535,
    guest: 1,
    protocol: "tcp",
    isFixed: true,
  });
});

for (
  const spec of [
    "",
    "0",
    "8080:0",
    "65536",
    "70000:80",
    "8080:65536",
    "0.0.0.0:8080:80",
    "a:b",
    "80/sctp",
    "-1:80",
    "8080:",
    "1e3",
  ]
) {
  Deno.test(`port ${JSON.stringify(spec)} is refused`, () => {
    assert.throws(() => parsePort(spec), {
      code: "invalid_input",
      message: `Cannot forward port ${JSON.stringify(spec)}: it is not ${FORMS}`,
      hint: "nido spawn --port 8080:80",
    });
  });
}

Deno.test("a port that is named twice is refused, but tcp and udp are two", () => {
  for (const specs of [["8080:80", "8080:81"], ["8080:80", "8081:80"], ["80", "80"]]) {
    assert.throws(() => parsePorts(specs), {
      code: "invalid_input",
      message: `Cannot forward ${specs[1]}: a port in it is named twice`,
    });
  }
  assert.equal(parsePorts(["5353:53/udp", "5353:53/tcp", "80", "81"]).length, 4);
});

Deno.test("a host port that something listens on is refused beforehand", () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  assert.throws(() => checkPortsAreFree(parsePorts([`${port}:80`]), "spawn"), {
    code: "in_use",
    message: `Cannot spawn: port ${port} is taken on 127.0.0.1`,
    hint: "leave the host port out, and a free one is chosen",
  });
  checkPortsAreFree(parsePorts([`${port}:80/udp`, "22"]), "spawn");
});
