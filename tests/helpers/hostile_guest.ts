import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";
// @ts-types="@types/ssh2"
import type { SFTPWrapper } from "ssh2";
import ssh2 from "ssh2";
import type { SshTarget } from "../../lib/guest/ssh.ts";

/** A file as a hostile guest shows it. */
export interface Shown {
  name: string;
  mode: number;
  size?: number;
  /** What it says when read; a function makes content without an end. */
  content?: string | ((offset: number, length: number) => Uint8Array);
  /** Where it leads, for a link. */
  target?: string;
}

/** A guest that answers file requests with whatever a test wants. */
export interface HostileGuest extends AsyncDisposable {
  target: SshTarget;
}

const { STATUS_CODE } = ssh2.utils.sftp;

/** Starts an SSH server whose folders hold exactly what `list` shows, under any path. */
export async function startHostileGuest(
  list: (path: string) => Shown[] | "silence" | "hang up" | "endless",
  options: { sftp?: boolean } = {},
): Promise<HostileGuest> {
  const hostKey = makeKeys();
  const userKey = makeKeys();
  const clients = new Set<{ end(): unknown }>();
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    clients.add(client);
    // Without it, each answer of ssh2's server waits 40 ms for our delayed acknowledgement.
    (client as unknown as { _sock: { setNoDelay(): void } })._sock.setNoDelay();
    client.on("error", () => {});
    client.on("close", () => clients.delete(client));
    client.on("authentication", (attempt) => attempt.accept());
    client.on("session", (accept) => {
      const session = accept();
      if (options.sftp === false) return;
      session.on("sftp", (take) => serve(take(), list, () => client.end()));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    target: {
      name: "dev",
      host: "127.0.0.1",
      port: (server.address() as AddressInfo).port,
      user: "nido",
      privateKey: userKey.private,
      hostKey: hostKey.public,
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A key pair; ssh2 1.17 spoils one in 256, whose public half begins with a zero byte. */
export function makeKeys(): { private: string; public: string } {
  for (;;) {
    const keys = ssh2.utils.generateKeyPairSync("ed25519");
    if (!(ssh2.utils.parseKey(keys.private) instanceof Error)) return keys;
  }
}

function serve(
  sftp: SFTPWrapper,
  list: (path: string) => Shown[] | "silence" | "hang up" | "endless",
  hangUp: () => void,
): void {
  const handles: { path: string; listed: number }[] = [];
  const attrs = (file: Shown) => ({
    mode: file.mode,
    size: file.size ?? 0,
    uid: 0,
    gid: 0,
    atime: 1_000_000,
    mtime: 1_000_000,
  });
  const find = (path: string): Shown | undefined => {
    const at = path.lastIndexOf("/");
    const files = list(at <= 0 ? "/" : path.slice(0, at));
    if (!Array.isArray(files)) return { name: "", mode: 0o040755 };
    return files.find(({ name }) => name === path.slice(at + 1));
  };
  const take = (id: number, path: string) => {
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(handles.push({ path, listed: 0 }) - 1);
    sftp.handle(id, handle);
  };
  const stat = (id: number, path: string) => {
    const file = path === "/top" ? { name: "top", mode: 0o040755 } : find(path);
    if (file) sftp.attrs(id, attrs(file));
    else sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
  };
  sftp.on("STAT", stat);
  sftp.on("LSTAT", stat);
  sftp.on("OPEN", (id, path) => take(id, path));
  sftp.on("OPENDIR", (id, path) => take(id, path));
  sftp.on("CLOSE", (id) => sftp.status(id, STATUS_CODE.OK));
  sftp.on("READLINK", (id, path) => {
    sftp.name(id, [{
      filename: find(path)?.target ?? "",
      longname: "",
      attrs: attrs(find(path)!),
    }]);
  });
  sftp.on("READDIR", (id, handle) => {
    const open = handles[handle.readUInt32BE()]!;
    const files = list(open.path);
    if (files === "silence") return;
    if (files === "hang up") return hangUp();
    if (files === "endless") {
      const batch = Array.from({ length: 100 }, () => ({
        name: `file${open.listed++}`,
        mode: 0o140000,
      }));
      return sftp.name(id, batch.map((file) => entry(file)));
    }
    if (open.listed++ > 0) return sftp.status(id, STATUS_CODE.EOF);
    sftp.name(id, files.map((file) => entry(file)));
  });
  const entry = (file: Shown) => ({ filename: file.name, longname: file.name, attrs: attrs(file) });
  sftp.on("READ", (id, handle, offset, length) => {
    const content = find(handles[handle.readUInt32BE()]!.path)?.content ?? "";
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content).subarray(offset, offset + length)
      : content(offset, length);
    if (bytes.length === 0) sftp.status(id, STATUS_CODE.EOF);
    else sftp.data(id, Buffer.from(bytes));
  });
}
