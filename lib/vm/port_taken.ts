import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { listenerOn } from "../host/listener.ts";
import type { ForwardedPort } from "./port.ts";
import { listVms } from "./vm.ts";

/**
 * Refuses fixed TCP host ports that something listens on already, before anything is made for them;
 * `doing` begins the message. QEMU's own bind decides in the end, and alone for UDP.
 */
export async function checkPortsAreFree(
  context: Context,
  ports: ForwardedPort[],
  doing: string,
): Promise<void> {
  for (const port of ports) {
    if (!port.isFixed || port.protocol === "udp") continue;
    try {
      Deno.listen({ hostname: port.address, port: port.host }).close();
    } catch (cause) {
      throw await portTaken(context, port, doing, cause);
    }
  }
}

/** The error for a host port that can't be had; it names who has it, where that can be found out. */
export async function portTaken(
  context: Context,
  { address, host, protocol }: ForwardedPort,
  doing: string,
  cause?: unknown,
): Promise<NidoError> {
  const details = { port: host, address };
  if (cause instanceof Deno.errors.PermissionDenied) {
    return new NidoError(
      "denied",
      `Cannot ${doing}: port ${host} needs more rights than you have`,
      {
        hint: "name a host port above 1023, or none",
        details,
        cause,
      },
    );
  }
  if (cause instanceof Deno.errors.AddrNotAvailable) {
    return new NidoError("invalid_input", `Cannot ${doing}: this host has no address ${address}`, {
      hint: "leave the address out to use 127.0.0.1",
      details,
      cause,
    });
  }
  const holder = await vmOn(context, host, protocol) ?? await listenerOn(host, protocol);
  return new NidoError(
    "in_use",
    `Cannot ${doing}: port ${host} is taken on ${address}${holder ? ` by ${holder}` : ""}`,
    {
      hint: "leave the host port out, and a free one is chosen",
      details: { ...details, holder },
      cause,
    },
  );
}

async function vmOn(
  context: Context,
  host: number,
  protocol: "tcp" | "udp",
): Promise<string | undefined> {
  const holds = (port: ForwardedPort) => port.host === host && port.protocol === protocol;
  const vm = (await listVms(context)).find(({ pid, record }) => pid && record?.ports.some(holds));
  return vm && `VM "${vm.name}"`;
}
