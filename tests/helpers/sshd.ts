import { userInfo } from "node:os";
import { join } from "node:path";
import type { SshTarget } from "../../lib/guest/ssh.ts";

/** A real OpenSSH server on this machine, which plays the guest. */
export interface TestSshd extends AsyncDisposable {
  /** Its folder, removed at the end; tests may put files there. */
  folder: string;
  pid: number;
  target: SshTarget;
  /** A key that it doesn't know. */
  otherKey: string;
  stop(): Promise<void>;
}

/** Starts an OpenSSH server with keys of its own, which only this user may enter. */
export async function startSshd(config: string[] = []): Promise<TestSshd> {
  const folder = await Deno.makeTempDir({ prefix: "nido-sshd-" });
  const path = (name: string) => join(folder, name);
  for (const key of ["host", "user", "other"]) {
    await finish("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path(key)]);
  }
  const { username, uid } = userInfo();
  if (uid === 0) await Deno.mkdir("/run/sshd", { recursive: true });
  const port = freePort();
  await Deno.writeTextFile(
    path("sshd_config"),
    [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${path("host")}`,
      `AuthorizedKeysFile ${path("user.pub")}`,
      "StrictModes no",
      "UsePAM no",
      "PidFile none",
      "PasswordAuthentication no",
      "PermitRootLogin prohibit-password",
      // sshd takes the first SetEnv only; with SHLVL bash reads no .bashrc of this machine's user
      ...(config.some((line) => line.startsWith("SetEnv")) ? [] : ["SetEnv SHLVL=5"]),
      ...(config.some((line) => line.startsWith("Subsystem")) ? [] : [
        "Subsystem sftp internal-sftp",
      ]),
      ...config.filter((line) => line !== "Subsystem none"),
    ].join("\n") + "\n",
  );
  const server = new Deno.Command("/usr/sbin/sshd", {
    args: ["-D", "-e", "-f", path("sshd_config")],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await answers(port);
  let running = true;
  const stop = async () => {
    if (running) server.kill("SIGKILL");
    running = false;
    await server.status;
  };
  return {
    folder,
    pid: server.pid,
    otherKey: await Deno.readTextFile(path("other")),
    target: {
      name: "dev",
      host: "127.0.0.1",
      port,
      user: username,
      privateKey: await Deno.readTextFile(path("user")),
      hostKey: await Deno.readTextFile(path("host.pub")),
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** A TCP port of 127.0.0.1 that nobody listens on. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  throw new Error("sshd did not start; is openssh-server installed?");
}

/** Runs a program that must succeed, and gives its output. */
export async function finish(program: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args }).output();
  if (code !== 0) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
