import { z } from "zod";
import { NidoError } from "../errors.ts";

/** A way into the guest: a port of this host's loopback that QEMU forwards. */
export const forwardedPort = z.strictObject({
  host: z.int().min(0).max(65535).describe("Port on 127.0.0.1; 0 until one has been chosen"),
  guest: z.int().min(1).max(65535).describe("Port inside the guest"),
  protocol: z.enum(["tcp", "udp"]).describe("Protocol"),
  isFixed: z.boolean().describe(
    "Whether the caller named the host port; others may change at a start",
  ),
});

/** A way into the guest. */
export type ForwardedPort = z.output<typeof forwardedPort>;

/** A forwarded port as results show it. */
export const portView = forwardedPort.omit({ isFixed: true });

/** The ports of a VM as results show them. */
export function viewPorts(ports: ForwardedPort[]): z.output<typeof portView>[] {
  return ports.map(({ host, guest, protocol }) => ({ host, guest, protocol }));
}

const FORMS =
  "PORT, HOST:GUEST or 127.0.0.1:HOST:GUEST, each with /udp if wanted, ports 1 to 65535";

/** Reads `80`, `8080:80`, `8080:80/udp`, `127.0.0.1:8080:80`; host port 0 or none: a free one. */
export function parsePort(spec: string): ForwardedPort {
  const match = /^(?:(?:127\.0\.0\.1|localhost):)?(?:(\d{1,5}):)?(\d{1,5})(?:\/(tcp|udp))?$/.exec(
    spec,
  );
  const host = Number(match?.[1] ?? 0);
  const guest = Number(match?.[2]);
  if (!match || host > 65535 || guest < 1 || guest > 65535) {
    throw new NidoError(
      "invalid_input",
      `Cannot forward port ${JSON.stringify(spec)}: it is not ${FORMS}`,
      {
        hint: "nido spawn --port 8080:80",
      },
    );
  }
  return { host, guest, protocol: match[3] === "udp" ? "udp" : "tcp", isFixed: host !== 0 };
}

/** Reads several specs; the same host or guest port twice is refused. */
export function parsePorts(specs: string[]): ForwardedPort[] {
  const ports = specs.map(parsePort);
  ports.forEach((port, index) => {
    const twin = ports.slice(0, index).find((other) =>
      other.protocol === port.protocol &&
      (other.guest === port.guest || (port.isFixed && other.host === port.host))
    );
    if (twin) {
      throw new NidoError(
        "invalid_input",
        `Cannot forward ${specs[index]}: a port in it is named twice`,
      );
    }
  });
  return ports;
}

/**
 * Refuses fixed TCP host ports that something listens on already, before anything is made for them;
 * `doing` begins the message. QEMU's own bind decides in the end, and alone for UDP.
 */
export function checkPortsAreFree(ports: ForwardedPort[], doing: string): void {
  for (const { host, protocol, isFixed } of ports) {
    if (!isFixed || protocol === "udp") continue;
    try {
      Deno.listen({ hostname: "127.0.0.1", port: host }).close();
    } catch (cause) {
      throw portRefused(host, doing, cause);
    }
  }
}

/** The error for a host port that can't be had. */
export function portRefused(host: number, doing: string, cause?: unknown): NidoError {
  const isDenied = cause instanceof Deno.errors.PermissionDenied;
  const fact = isDenied ? "needs more rights than you have" : "is taken on 127.0.0.1";
  return new NidoError(isDenied ? "denied" : "in_use", `Cannot ${doing}: port ${host} ${fact}`, {
    hint: "leave the host port out, and a free one is chosen",
    details: { port: host },
    cause,
  });
}
