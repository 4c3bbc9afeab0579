import type { SFTPWrapper } from "ssh2";
import { NidoError } from "../errors.ts";
import type { Link } from "./link.ts";

/** File access to a guest: the protocol's requests, to be closed after use. */
export interface Sftp extends Disposable {
  /** The VM's name, for messages. */
  readonly name: string;
  readonly raw: SFTPWrapper;
}

const OPEN_MS = 30_000;

/** Opens file access on a connection. */
export function openSftp(link: Link): Promise<Sftp> {
  return new Promise((resolve, reject) => {
    const give = (cause?: unknown) =>
      reject(
        new NidoError("unavailable", `Cannot copy: VM "${link.name}" has no SFTP server`, {
          hint: `nido exec ${link.name} -- sh -c 'cat > FILE'`,
          cause,
        }),
      );
    const timer = setTimeout(give, OPEN_MS);
    try {
      link.client.sftp((error, raw) => {
        clearTimeout(timer);
        if (error) return give(error);
        raw.on("error", () => {}); // each request that was under way fails with it
        resolve({ name: link.name, raw, [Symbol.dispose]: () => raw.end() });
      });
    } catch (error) {
      clearTimeout(timer);
      give(error);
    }
  });
}
