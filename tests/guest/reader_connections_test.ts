import assert from "node:assert/strict";
import { readerProgram } from "../../lib/guest/reader_program.ts";
import { finish } from "../helpers/sshd.ts";

const ignore = Deno.build.os !== "linux";

/** Runs a few lines with the reader's functions at hand, and gives what they print as JSON. */
async function withReader(lines: string): Promise<unknown> {
  const folder = await Deno.makeTempDir({ prefix: "nido-reader-" });
  try {
    await Deno.writeTextFile(`${folder}/reader.py`, readerProgram);
    await Deno.writeTextFile(`${folder}/test.py`, `from reader import *\n${lines}\n`);
    return JSON.parse(await finish("/usr/bin/python3", ["-B", `${folder}/test.py`]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({ name: "the kernel's own list holds the open connections", ignore }, async () => {
  const said = await withReader(`
is_loopback = lambda family, identity: False
import reader
reader.is_loopback = is_loopback
found = []
for family, address in (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"):
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()[:2]) as client:
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as diag:
                peers = [peer_of(family, one) for one in open_connections(diag, family)]
            found.append([listener.getsockname()[:2] in peers, client.getsockname()[:2] in peers])
print(json.dumps(found))`);
  assert.deepEqual(said, [[true, true], [true, true]]);
});

Deno.test({ name: "loopback is told from the outside in both families", ignore }, async () => {
  const said = await withReader(`
def to(family, address):
    packed = socket.inet_pton(family, address)
    return struct.pack("!HH", 22, 40000) + bytes(16) + packed.ljust(16, b"\\0") + bytes(12)
both = [(socket.AF_INET, "127.9.0.1"), (socket.AF_INET, "10.0.2.2"), (socket.AF_INET6, "::1"),
        (socket.AF_INET6, "::ffff:127.0.0.1"), (socket.AF_INET6, "::ffff:10.0.2.2"),
        (socket.AF_INET6, "fec0::2")]
print(json.dumps([[*peer_of(f, to(f, a)), is_loopback(f, to(f, a))] for f, a in both]))`);
  assert.deepEqual(said, [
    ["127.9.0.1", 40000, true],
    ["10.0.2.2", 40000, false],
    ["::1", 40000, true],
    ["127.0.0.1", 40000, true],
    ["10.0.2.2", 40000, false],
    ["fec0::2", 40000, false],
  ]);
});

Deno.test({ name: "the connection that a renewal came by is spared", ignore }, async () => {
  const said = await withReader(`
import reader
ended = []
reader.open_connections = lambda diag, family: [b"mine", b"other"] if family == 2 else []
reader.peer_of = lambda family, identity: ("10.0.2.2", 1 if identity == b"mine" else 2)
reader.destroy = lambda diag, family, identity: ended.append(identity.decode())
cut_connections(("10.0.2.2", 1))
print(json.dumps(ended))`);
  assert.deepEqual(said, ["other"]);
});

Deno.test(
  { name: "which OpenSSH keeps its host keys is told by its version", ignore },
  async () => {
    const said = await withReader(`
import reader
found = []
for version in "OpenSSH_9.2p1 Debian-2", "OpenSSH_9.7p1", "OpenSSH_9.8p1", "OpenSSH_10.0p2", "dropbear":
    reader.run = lambda *words: (0, version)
    found.append(keeps_host_keys())
print(json.dumps(found))`);
    assert.deepEqual(said, [false, false, true, true, true]);
  },
);
