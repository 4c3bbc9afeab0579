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
  const before = await boundPorts(qmp, port);
  if (!await bind(qmp, port)) throw await portTaken(context, port, doing);
  port.host = (await boundPorts(qmp, port)).find((host) => !before.includes(host)) ?? 0;
  if (port.host === 0) throw new Error(`QEMU did not list its forward to guest port ${port.guest}`);
}

/** Closes a forwarded port of a live machine. */
export async function removeForward(qmp: Qmp, port: ForwardedPort): Promise<void> {
  await qmp.human(`hostfwd_remove net0 ${port.protocol}:${port.address}:${port.host}`);
}

async function bind(qmp: Qmp, { protocol, address, host, guest }: ForwardedPort): Promise<boolean> {
  return await qmp.human(`hostfwd_add net0 ${protocol}:${address}:${host}-:${guest}`) === "";
}

/** The host ports that lead to the same guest port; `info usernet` shows 0.0.0.0 as `*`. */
async function boundPorts(qmp: Qmp, { protocol, guest }: ForwardedPort): Promise<number[]> {
  const row = new RegExp(
    `${protocol}\\[HOST_FORWARD\\]\\s+\\d+\\s+\\S+\\s+(\\d+)\\s+\\S+\\s+${guest}\\s`,
    "gi",
  );
  return Array.from((await qmp.human("info usernet")).matchAll(row), ([, host]) => Number(host));
}
