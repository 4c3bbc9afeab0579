import { run } from "./process.ts";

/** The program that listens on a port of this host, as `python3 (pid 42)`, where that can be seen. */
export async function listenerOn(
  port: number,
  protocol: "tcp" | "udp",
): Promise<string | undefined> {
  try {
    return Deno.build.os === "linux" ? await bySs(port, protocol) : await byLsof(port, protocol);
  } catch {
    return undefined; // no such program, or no right to run it: the port is taken all the same
  }
}

// ss of iproute2: users:(("python3",pid=42,fd=3))
async function bySs(port: number, protocol: "tcp" | "udp"): Promise<string | undefined> {
  const kind = protocol === "tcp" ? "-Hltnp" : "-Hlunp";
  const { stdout } = await run("ss", [kind, `sport = :${port}`], { timeoutMs: 2_000 });
  const holder = /users:\(\("([^"]+)",pid=(\d+)/.exec(new TextDecoder().decode(stdout));
  return holder ? `${holder[1]} (pid ${holder[2]})` : undefined;
}

// lsof -F prints one field a line: p42, cpython3
async function byLsof(port: number, protocol: "tcp" | "udp"): Promise<string | undefined> {
  const args = ["-nP", `-i${protocol.toUpperCase()}:${port}`, "-Fpc"];
  const { stdout } = await run("lsof", args, { timeoutMs: 2_000 });
  const text = new TextDecoder().decode(stdout);
  const [pid, name] = [/^p(\d+)$/m.exec(text)?.[1], /^c(.+)$/m.exec(text)?.[1]];
  return pid && name ? `${name} (pid ${pid})` : undefined;
}
