import type { Context } from "../context.ts";
import { type ExecOptions, type ExecResult, execute } from "./execute.ts";
import { type ConnectOptions, openLink, type SshTarget } from "./link.ts";
import { openSftp, type Sftp } from "./sftp.ts";

export { type BannerOptions, waitForBanner } from "./banner.ts";
export type { ConnectOptions, SshTarget } from "./link.ts";
export type { ExecOptions, ExecResult } from "./execute.ts";
export type { Sink } from "./streams.ts";
export type { Sftp } from "./sftp.ts";

/** A connection to a guest; commands and copies share it. */
export interface SshSession extends AsyncDisposable {
  /** The VM's name. */
  readonly name: string;
  /** Who commands run as. */
  readonly user: string;
  /** Runs a command, its words passed exactly. A missing program gives exit code 127. */
  exec(command: string[], options?: ExecOptions): Promise<ExecResult>;
  /** Opens file access; `unavailable` where the guest has no SFTP server. */
  sftp(): Promise<Sftp>;
  close(): Promise<void>;
}

const GOODBYE_MS = 500;

/** Logs in to a guest, which must show exactly the host key that Nido gave it. */
export async function connect(
  context: Context,
  target: SshTarget,
  options: ConnectOptions,
): Promise<SshSession> {
  const link = await openLink(context.signal, target, options);
  const close = async () => {
    link.client.end();
    // The goodbye is sent, or can't be; what the guest does with it doesn't matter.
    link.socket.once("finish", () => link.socket.destroy());
    const impatient = setTimeout(() => link.socket.destroy(), GOODBYE_MS);
    await link.closed;
    clearTimeout(impatient);
  };
  return {
    name: target.name,
    user: target.user,
    exec: (command, options = {}) => execute(link, command, options),
    sftp: () => openSftp(link),
    close,
    [Symbol.asyncDispose]: close,
  };
}
