import type { Qmp } from "../qemu/qmp.ts";
import { type ForwardedPort, portRefused } from "./port.ts";

/**
 * Opens a forwarded port on a live machine and writes the host port into it. A free port is chosen
 * by the kernel in the act of binding, so no other process can take it in between. A port that may
 * change keeps its number where that is still free.
 */
export async function addForward(qmp: Qmp, port: ForwardedPort, doing: string): Promise<void> {
  if (port.host !== 0 && await bind(qmp, port)) return;
  if (port.isFixed) throw portRefused(port.host, doing);
  port.host = 0;
  if (!await bind(qmp, port)) throw portRefused(0, doing);
  port.host = await boundPort(qmp, port);
}

/**
 * Closes all forwarded ports of a live machine but these: also those that a killed command opened and
 * did not live to record.
 */
export async function removeOtherForwards(qmp: Qmp, staying: ForwardedPort[]): Promise<void> {
  for (const { protocol, host } of await liveForwards(qmp)) {
    if (staying.some((port) => port.protocol === protocol && port.host === host)) continue;
    await qmp.human(`hostfwd_remove net0 ${protocol}:127.0.0.1:${host}`);
  }
}

async function bind(qmp: Qmp, { protocol, host, guest }: ForwardedPort): Promise<boolean> {
  return await qmp.human(`hostfwd_add net0 ${protocol}:127.0.0.1:${host}-:${guest}`) === "";
}

async function boundPort(qmp: Qmp, { protocol, guest }: ForwardedPort): Promise<number> {
  const found = (await liveForwards(qmp)).findLast((live) =>
    live.protocol === protocol && live.guest === guest
  );
  if (!found) throw new Error(`QEMU did not list the forward to guest port ${guest}`);
  return found.host;
}

type LiveForward = Pick<ForwardedPort, "protocol" | "host" | "guest">;

const ROW = /(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+(\d+)\s/;

async function liveForwards(qmp: Qmp): Promise<LiveForward[]> {
  return (await qmp.human("info usernet")).split("\n").flatMap((row) => {
    const [, protocol, host, guest] = ROW.exec(row) ?? [];
    if (!protocol) return [];
    return [{
      protocol: protocol === "TCP" ? "tcp" : "udp",
      host: Number(host),
      guest: Number(guest),
    }];
  });
}
