import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
// @ts-types="@types/ssh2"
import type { Client } from "ssh2";
import { NidoError } from "../errors.ts";

/** Where a guest's SSH server is, and the only keys that count. */
export interface SshTarget {
  /** The VM's name, for messages. */
  name: string;
  host: "127.0.0.1";
  port: number;
  user: string;
  /** The private key's text, OpenSSH or PEM. */
  privateKey: string;
  /** `ssh-ed25519 AAAA...`: the one host key that is accepted. */
  hostKey: string;
}

/** How long to try, and how often to ask a silent guest whether it lives. */
export interface ConnectOptions {
  timeoutMs: number;
  /** The name under which calls leave this connection to each other; default none, it is closed. */
  keepAs?: string;
  /** Six unanswered questions end the session; default one every 10 seconds. */
  keepaliveMs?: number;
}

/** A logged-in connection, which commands and copies of one session share. */
export interface Link {
  readonly name: string;
  readonly client: Client;
  readonly socket: Socket;
  readonly signal: AbortSignal;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

const GOODBYE_MS = 500;

// Cheap for a guest without acceleration, strongest first among those; all are in OpenSSH since 6.5.
const ALGORITHMS = {
  kex: ["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256"],
  cipher: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr"],
  hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-256"],
  compress: ["none"],
} as const;

/** Opens the connection, checks the host key byte for byte and logs in with the key. */
export async function openLink(
  signal: AbortSignal,
  target: SshTarget,
  options: ConnectOptions,
): Promise<Link> {
  const [{ default: ssh2 }, net] = await Promise.all([import("ssh2"), import("node:net")]);
  signal.throwIfAborted();
  if (ssh2.utils.parseKey(target.privateKey) instanceof Error) throw spoiltKey(target);
  const [keyType = "", keyText] = target.hostKey.trim().split(/\s+/);
  const client: Client = new ssh2.Client();
  const socket = net.connect({ host: target.host, port: target.port, noDelay: true });
  const outcome = Promise.withResolvers<"ready" | "failed" | "late" | "aborted">();
  let failure: (Error & { level?: string; code?: string }) | undefined;
  let strangeKey = false;

  const timer = setTimeout(() => outcome.resolve("late"), options.timeoutMs);
  const abort = () => outcome.resolve("aborted");
  signal.addEventListener("abort", abort);
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  closed.then(() => outcome.resolve("failed"));
  client.once("ready", () => outcome.resolve("ready"));
  client.on("error", (error) => {
    failure ??= error;
    outcome.resolve("failed");
  });
  try {
    client.connect({
      sock: socket,
      username: target.user,
      privateKey: target.privateKey,
      authHandler: ["publickey"],
      readyTimeout: 0,
      keepaliveInterval: options.keepaliveMs ?? 10_000,
      keepaliveCountMax: 6,
      hostVerifier: (key: Buffer) => {
        strangeKey = key.toString("base64") !== keyText;
        return !strangeKey;
      },
      // deno-lint-ignore no-explicit-any
      algorithms: { ...ALGORITHMS, serverHostKey: [keyType] } as any,
    });
    const how = await outcome.promise;
    if (how === "ready") {
      const close = () => goodbye(client, socket, closed);
      return { name: target.name, client, socket, signal, closed, close };
    }
    if (how === "aborted") throw signal.reason;
    throw how === "late" ? late(target, options.timeoutMs) : failed(target, strangeKey, failure);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

async function goodbye(client: Client, socket: Socket, closed: Promise<void>): Promise<void> {
  client.end();
  // The goodbye is sent, or can't be; what the guest does with it doesn't matter.
  socket.once("finish", () => socket.destroy());
  const impatient = setTimeout(() => socket.destroy(), GOODBYE_MS);
  await closed;
  clearTimeout(impatient);
}

function spoiltKey(target: SshTarget): NidoError {
  return new NidoError(
    "integrity",
    `Cannot reach VM "${target.name}": the private key for it can't be read`,
    { hint: "nido doctor" },
  );
}

function late(target: SshTarget, timeoutMs: number): NidoError {
  return new NidoError(
    "timeout",
    `Cannot reach VM "${target.name}": SSH did not answer within ${timeoutMs} ms`,
    { hint: `nido logs ${target.name}` },
  );
}

function failed(
  target: SshTarget,
  strangeKey: boolean,
  cause: (Error & { level?: string; code?: string }) | undefined,
): NidoError {
  const cannot = `Cannot reach VM "${target.name}"`;
  const logs = { hint: `nido logs ${target.name}`, cause };
  if (strangeKey || cause?.message.includes("no matching host key")) {
    return new NidoError(
      "integrity",
      `${cannot}: its host key is not the one that Nido gave it`,
      logs,
    );
  }
  if (cause?.level === "client-authentication") {
    return new NidoError("denied", `${cannot}: it refused the key of user ${target.user}`, logs);
  }
  if (cause?.code === "ECONNREFUSED") {
    return new NidoError(
      "unavailable",
      `${cannot}: nothing listens on ${target.host}:${target.port}`,
      { hint: `nido info ${target.name}`, cause },
    );
  }
  if (cause?.level === "handshake") {
    return new NidoError("unavailable", `${cannot}: ${cause.message}`, logs);
  }
  return new NidoError("unavailable", `${cannot}: it ended the connection during login`, {
    ...logs,
    details: { endedDuring: "login" },
  });
}
