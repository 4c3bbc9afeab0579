import type { Context } from "../context.ts";
import type { Qmp } from "../qemu/qmp.ts";
import type { ForwardedPort } from "./port.ts";
import { portTaken } from "./port_taken.ts";

/**
 * Opens a forwarded port on a live machine and writes the host port into it. A free port is chosen
 * by the kernel in the act of binding, so no other process can take it in between. A port that may
 * change keeps its number where that is still free.
 */
export async function addForward(
  context: Context,
  qmp: Qmp,
  port: ForwardedPort,
  doing: string,
): Promise<void> {
  if (port.host !== 0 && await bind(qmp, port)) return;
  if (port.isFixed) throw await portTaken(context, port, doing);
  port.host = 0;
  const before = await liveForwards(qmp);
  if (!await bind(qmp, port)) throw await portTaken(context, port, doing);
  const isNew = (live: LiveForward) => !before.some((other) => isSame(live, other));
  port.host = (await liveForwards(qmp)).find(isNew)?.host ?? 0;
  if (port.host === 0) throw new Error(`QEMU did not list its forward to guest port ${port.guest}`);
}

/**
 * Closes all forwarded ports of a live machine but these: also those that a killed command opened and
 * did not live to record.
 */
export async function removeOtherForwards(qmp: Qmp, staying: ForwardedPort[]): Promise<void> {
  for (const live of await liveForwards(qmp)) {
    if (staying.some((port) => isSame(live, port))) continue;
    await qmp.human(`hostfwd_remove net0 ${live.protocol}:${live.address}:${live.host}`);
  }
}

async function bind(qmp: Qmp, { protocol, address, host, guest }: ForwardedPort): Promise<boolean> {
  return await qmp.human(`hostfwd_add net0 ${protocol}:${address}:${host}-:${guest}`) === "";
}

type LiveForward = Pick<ForwardedPort, "protocol" | "address" | "host">;

function isSame(one: LiveForward, other: LiveForward): boolean {
  return one.protocol === other.protocol && one.host === other.host;
}

const ROW = /(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+(\S+)\s+(\d+)\s/;

async function liveForwards(qmp: Qmp): Promise<LiveForward[]> {
  return (await qmp.human("info usernet")).split("\n").flatMap((row) => {
    const [, protocol, address, host] = ROW.exec(row) ?? [];
    if (!protocol) return [];
    return [{
      protocol: protocol === "TCP" ? "tcp" : "udp",
      address: address === "*" ? "0.0.0.0" : address!,
      host: Number(host),
    }];
  });
}
