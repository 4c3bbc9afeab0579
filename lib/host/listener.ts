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

// ss of iproute2: users:(("python3",pid=42,fd=3),("python3",pid=43,fd=3)). A program that is being started
// shares what its parent listens on; the parent is the older one, so it is told.
async function bySs(port: number, protocol: "tcp" | "udp"): Promise<string | undefined> {
  const kind = protocol === "tcp" ? "-Hltnp" : "-Hlunp";
  const { stdout } = await run("ss", [kind, `sport = :${port}`], { timeoutMs: 2_000 });
  const told = new TextDecoder().decode(stdout).matchAll(/\("([^"]+)",pid=(\d+)/g);
  const holders = Array.from(told, ([, name, pid]) => ({ name, pid: Number(pid) }));
  const oldest = holders.sort((one, other) => one.pid - other.pid).at(0);
  return oldest && `${oldest.name} (pid ${oldest.pid})`;
}

// lsof -F prints one field a line: p42, cpython3
async function byLsof(port: number, protocol: "tcp" | "udp"): Promise<string | undefined> {
  const args = ["-nP", `-i${protocol.toUpperCase()}:${port}`, "-Fpc"];
  const { stdout } = await run("lsof", args, { timeoutMs: 2_000 });
  const text = new TextDecoder().decode(stdout);
  const [pid, name] = [/^p(\d+)$/m.exec(text)?.[1], /^c(.+)$/m.exec(text)?.[1]];
  return pid && name ? `${name} (pid ${pid})` : undefined;
}
