/** What a server does wrong with one request. */
export interface Fault {
  /** Ends the connection after so many bytes of the body. */
  dropAfter?: number;
  /** Answers with this status and nothing else. */
  status?: number;
  retryAfter?: string;
  /** Declares another length than it sends. */
  contentLength?: number;
  /** Sends the body in chunks, without a length. */
  noLength?: boolean;
  /** Appends these bytes, as a body without a length can. */
  more?: number;
  /** Changes a byte of what it sends. */
  flip?: number;
  /** Answers a range with the whole file. */
  noRanges?: boolean;
  /** Answers a range whatever it is of. */
  ignoresIfRange?: boolean;
  /** Answers a range with another one. */
  wrongRange?: boolean;
  redirect?: string;
  /** Compresses, whatever is accepted. */
  gzip?: boolean;
  /** Waits after each of these pieces of the body. */
  drip?: { bytes: number; everyMs: number };
  /** Goes on after so many bytes only when the test lets it. */
  gate?: { after: number; open: Promise<void> };
  /** Sends so many bytes and then no more, with the connection open. */
  stallAfter?: number;
  /** Never answers. */
  silent?: boolean;
}

/** One request as the server saw it. */
export interface Seen {
  path: string;
  range?: string;
  ifRange?: string;
  /** Bytes of body that it wrote. */
  sent: number;
}

/** A file on the server; it can be changed at any time. */
export interface Served {
  bytes: Uint8Array<ArrayBuffer>;
  etag?: string;
  lastModified?: string;
  /** What it does wrong with the first request, the second, ...; then nothing. */
  faults?: Fault[];
  /** What it does wrong with each. */
  always?: Fault;
}

/** An HTTP server of files, with faults as data. */
export interface ImageServer extends AsyncDisposable {
  files: Record<string, Served>;
  seen: Seen[];
  port: number;
  url(path: string): string;
  /** Bytes of bodies in all. */
  sentBytes(): number;
}

/** Serves files over plain sockets, so that it can break every rule of HTTP. */
export function serveImages(
  files: Record<string, Served>,
  tls?: { cert: string; key: string },
): ImageServer {
  const at = { hostname: "127.0.0.1", port: 0 };
  const listener = tls ? Deno.listenTls({ ...at, ...tls }) : Deno.listen(at);
  const seen: Seen[] = [];
  const open = new Set<Deno.Conn>();
  const serving = (async () => {
    for (;;) {
      const connection = await listener.accept().catch((error) => {
        if (error instanceof Deno.errors.BadResource) return undefined; // the test is over
        return "again" as const; // a handshake that failed
      });
      if (connection === undefined) return;
      if (connection === "again") continue;
      open.add(connection);
      answer(connection, files, seen).catch(() => {}).finally(() => { // the client left
        open.delete(connection);
        try {
          connection.close();
        } catch { /* closed with the server */ }
      });
    }
  })();
  const { port } = listener.addr as Deno.NetAddr;
  return {
    files,
    seen,
    port,
    url: (path) => `${tls ? "https" : "http"}://127.0.0.1:${port}/${path}`,
    sentBytes: () => seen.reduce((sum, { sent }) => sum + sent, 0),
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const connection of open) connection.close();
      await serving;
    },
  };
}

async function answer(connection: Deno.Conn, files: Record<string, Served>, seen: Seen[]) {
  const request = await readRequest(connection);
  if (!request) return;
  const entry: Seen = { ...request, sent: 0 };
  seen.push(entry);
  const file = files[request.path];
  const fault = file?.faults?.shift() ?? file?.always ?? {};
  if (fault.silent) return await closed(connection);
  const head = (status: string, headers: Record<string, string | number | undefined>) => {
    const lines = Object.entries(headers).filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}: ${value}`);
    const text = [`HTTP/1.1 ${status}`, ...lines, "connection: close", "", ""].join("\r\n");
    return write(connection, new TextEncoder().encode(text));
  };
  if (fault.redirect) {
    return await head("302 Found", { location: fault.redirect, "content-length": 0 });
  }
  if (!file || fault.status) {
    const told = { "retry-after": fault.retryAfter, "content-length": 0 };
    return await head(`${file ? fault.status : 404} No`, told);
  }
  const { bytes, etag, lastModified: modified } = file;
  const marks = { etag, "last-modified": modified };
  const isWanted = fault.ignoresIfRange || isCurrent(request.ifRange, file);
  const ranges = request.range && !fault.noRanges && isWanted;
  let from = ranges ? Number(/\d+/.exec(request.range!)![0]) : 0;
  if (from >= bytes.length && from > 0) {
    const range = `bytes */${bytes.length}`;
    return await head("416 No", { ...marks, "content-range": range, "content-length": 0 });
  }
  if (ranges && fault.wrongRange) from--;
  let body = new Uint8Array(bytes.subarray(from));
  if (fault.more) {
    const longer = new Uint8Array(body.length + fault.more);
    longer.set(body);
    body = longer;
  }
  if (fault.flip !== undefined && fault.flip >= from) body[fault.flip - from]! ^= 0xff;
  if (fault.gzip) body = await gzipped(body);
  const isChunked = fault.noLength || fault.more !== undefined;
  await head(ranges ? "206 Partial Content" : "200 OK", {
    ...marks,
    "content-range": ranges ? `bytes ${from}-${bytes.length - 1}/${bytes.length}` : undefined,
    "content-length": isChunked ? undefined : fault.contentLength ?? body.length,
    "transfer-encoding": isChunked ? "chunked" : undefined,
    "content-encoding": fault.gzip ? "gzip" : undefined,
  });
  await send(connection, body, fault, isChunked, entry);
}

async function send(
  connection: Deno.Conn,
  body: Uint8Array,
  fault: Fault,
  isChunked: boolean,
  entry: Seen,
) {
  const end = Math.min(body.length, fault.dropAfter ?? Infinity, fault.stallAfter ?? Infinity);
  const step = fault.drip?.bytes ?? 64 * 1024;
  for (let at = 0; at < end; at += step) {
    const piece = body.subarray(at, Math.min(at + step, end));
    if (fault.gate && at + piece.length > fault.gate.after) await fault.gate.open;
    if (isChunked) await write(connection, text(`${piece.length.toString(16)}\r\n`));
    await write(connection, piece);
    if (isChunked) await write(connection, text("\r\n"));
    entry.sent += piece.length;
    if (fault.drip) await new Promise((done) => setTimeout(done, fault.drip!.everyMs));
  }
  if (fault.stallAfter !== undefined) return await closed(connection);
  if (isChunked && fault.dropAfter === undefined) await write(connection, text("0\r\n\r\n"));
}

function isCurrent(ifRange: string | undefined, { etag, lastModified }: Served): boolean {
  if (ifRange === undefined) return true;
  return ifRange === lastModified || ifRange === etag && !etag.startsWith("W/");
}

async function readRequest(connection: Deno.Conn) {
  let head = "";
  const buffer = new Uint8Array(8192);
  while (!head.includes("\r\n\r\n")) {
    const count = await connection.read(buffer);
    if (count === null) return undefined;
    head += new TextDecoder().decode(buffer.subarray(0, count));
  }
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, "im").exec(head)?.[1]?.trim();
  const path = /^GET \/(\S*)/.exec(head)?.[1] ?? "";
  return { path, range: header("range"), ifRange: header("if-range") };
}

async function closed(connection: Deno.Conn) {
  while (await connection.read(new Uint8Array(1024)) !== null);
}

async function write(connection: Deno.Conn, bytes: Uint8Array) {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

async function gzipped(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return await new Response(stream).bytes();
}

function text(line: string): Uint8Array {
  return new TextEncoder().encode(line);
}
