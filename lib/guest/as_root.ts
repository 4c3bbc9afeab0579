import { HeadTail } from "./output.ts";
import type { SshSession } from "./ssh.ts";

const SAID_BYTES = 1 << 16;

/** How a command is run as root. */
export interface Call {
  stdin?: ReadableStream<Uint8Array>;
  timeoutMs: number;
  heard?: (text: string) => void;
}

/** What a command said that was run as root. */
export interface Said {
  vm: string;
  exitCode: number;
  stdout: string;
  stderr: string;
  /** Why it was not run, where it was not: the guest does not let us be root. */
  refusal?: string;
}

/** Runs a command as root, with the session's own connection as its last word. */
export async function asRoot(session: SshSession, command: string[], call: Call): Promise<Said> {
  const [stdout, stderr] = [new HeadTail(SAID_BYTES), new HeadTail(SAID_BYTES)];
  const script = session.user === "root"
    ? 'exec "$@" "${SSH_CONNECTION:-}"'
    : 'sudo -n true 2>/dev/null || { echo no-sudo; exit 0; }; exec sudo -n "$@" "${SSH_CONNECTION:-}"';
  const { exitCode } = await session.exec(["sh", "-c", script, "sh", ...command], {
    stdin: call.stdin,
    timeoutMs: call.timeoutMs,
    stdout: (chunk) => {
      stdout.add(chunk);
      call.heard?.(stdout.result().text);
    },
    stderr: (chunk) => stderr.add(chunk),
  });
  const said = stdout.result().text;
  return {
    vm: session.name,
    exitCode,
    stdout: said,
    stderr: stderr.result().text,
    refusal: said.trim() === "no-sudo"
      ? "its login user may not use sudo without a password"
      : undefined,
  };
}
