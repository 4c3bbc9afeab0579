/** One client of a fake server. */
export interface Peer {
  /** Sends text or bytes, in two pieces, to show that a message may be cut anywhere. */
  send(message: string | Uint8Array): Promise<void>;
  hangUp(): void;
}

/** What a fake server does. */
export interface Manner {
  greet?: (peer: Peer) => Promise<void>;
  hear: (line: string, peer: Peer) => Promise<void> | void;
}

/** Serves lines on a unix socket for as long as `use` runs. */
export async function withUnixServer(
  manner: Manner,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "nido-socket-" });
  const path = `${folder}/fake.sock`;
  const listener = Deno.listen({ transport: "unix", path });
  const open: Deno.UnixConn[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      open.push(connection);
      serve(connection, manner).catch(() => {}); // the test closed the connection
    }
  })();
  try {
    await use(path);
  } finally {
    listener.close();
    for (const connection of open) {
      try {
        connection.close();
      } catch { /* closed already */ }
    }
    await serving;
    await Deno.remove(folder, { recursive: true });
  }
}

async function serve(connection: Deno.UnixConn, { greet, hear }: Manner): Promise<void> {
  const peer: Peer = {
    async send(message) {
      const bytes = typeof message === "string" ? new TextEncoder().encode(message) : message;
      await writeAll(connection, bytes.subarray(0, 7));
      await writeAll(connection, bytes.subarray(7));
    },
    hangUp: () => connection.close(),
  };
  await greet?.(peer);
  let text = "";
  for await (const piece of connection.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (text + piece).split("\n");
    text = lines.pop()!;
    for (const line of lines) await hear(line, peer);
  }
}

async function writeAll(connection: Deno.UnixConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}
