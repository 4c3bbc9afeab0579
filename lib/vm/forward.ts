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

/** Closes a forwarded port of a live machine. */
export async function removeForward(qmp: Qmp, port: ForwardedPort): Promise<void> {
  await qmp.human(`hostfwd_remove net0 ${port.protocol}:127.0.0.1:${port.host}`);
}

async function bind(qmp: Qmp, { protocol, host, guest }: ForwardedPort): Promise<boolean> {
  return await qmp.human(`hostfwd_add net0 ${protocol}:127.0.0.1:${host}-:${guest}`) === "";
}

async function boundPort(qmp: Qmp, { protocol, guest }: ForwardedPort): Promise<number> {
  const rows = (await qmp.human("info usernet")).split("\n");
  const shape = new RegExp(
    `${protocol}\\[HOST_FORWARD\\]\\s+\\d+\\s+127\\.0\\.0\\.1\\s+(\\d+)\\s+\\S+\\s+${guest}\\s`,
    "i",
  );
  const host = rows.map((row) => shape.exec(row)?.[1]).find((found) => found !== undefined);
  if (!host) throw new Error(`QEMU did not list the forward to guest port ${guest}`);
  return Number(host);
}
