import type { Context } from "../context.ts";
import { type ExecOptions, type ExecResult, execute } from "./execute.ts";
import { type ConnectOptions, type Link, openLink, type SshTarget } from "./link.ts";
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

/** Logs in to a guest, which must show exactly the host key that Nido gave it. */
export async function connect(
  context: Context,
  target: SshTarget,
  options: ConnectOptions,
): Promise<SshSession> {
  const { idle, signal } = context;
  const { keepAs } = options;
  const left = keepAs === undefined ? undefined : idle?.take<Link>(keepAs);
  const link = left ? { ...left, signal } : await openLink(signal, target, options);
  // What may have left something open on the connection, which is then not for others.
  let unsettled = 0;
  const close = async () => {
    if (idle && keepAs !== undefined && unsettled === 0) await idle.leave(keepAs, link);
    else await link.close();
  };
  return {
    name: target.name,
    user: target.user,
    exec: async (command, options = {}) => {
      unsettled++;
      const ended = await execute(link, command, options);
      unsettled--;
      return ended;
    },
    sftp: () => {
      unsettled++;
      return openSftp(link);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
