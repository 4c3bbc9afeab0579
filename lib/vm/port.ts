import { z } from "zod";
import { NidoError } from "../errors.ts";

const LOOPBACK = "127.0.0.1";
/** The label of the port that Nido itself gets in by; it never leaves the loopback. */
const NIDOS_OWN = "ssh";

/** A way into the guest: a port of this host that QEMU forwards. */
export const forwardedPort = z.strictObject({
  label: z.string().optional().describe("What it is called, for example web; ssh is Nido's own"),
  guest: z.int().min(1).max(65535).describe("Port inside the guest"),
  address: z.string().describe("Address of this host that it listens on"),
  host: z.int().min(0).max(65535).describe("Port on this host; 0: chosen at the start"),
  protocol: z.enum(["tcp", "udp"]).describe("Protocol"),
  isFixed: z.boolean().describe("Whether the host port was named; others may change at a start"),
});

/** A way into the guest. */
export type ForwardedPort = z.output<typeof forwardedPort>;

/** What a port looks like on the command line. */
export const PORT_FORM = "[LABEL:]GUEST[:[ADDRESS:]HOST][/udp], ports 1 to 65535";

const SPEC =
  /^(?:([a-z][a-z0-9-]{0,31}):)?(\d{1,5})(?::(?:(\d{1,3}(?:\.\d{1,3}){3}|localhost):)?(\d{1,5}))?(?:\/(tcp|udp))?$/;

/** Reads `80`, `80:8080`, `web:80`, `web:80:8080`, `53:5353/udp`, `80:192.168.1.5:8080`. */
export function parsePort(spec: string): ForwardedPort {
  const [, label, guestText, address = LOOPBACK, hostText, protocol] = SPEC.exec(spec) ?? [];
  const guest = Number(guestText);
  const host = Number(hostText ?? 0);
  const isAddress = address === "localhost" ||
    address.split(".").every((part) => Number(part) < 256);
  if (!(guest >= 1 && guest <= 65535) || host > 65535 || !isAddress) {
    throw new NidoError(
      "invalid_input",
      `Cannot forward port ${JSON.stringify(spec)}: it is not ${PORT_FORM}`,
      { hint: "nido spawn --port 80:8080" },
    );
  }
  if (label === NIDOS_OWN) {
    throw new NidoError(
      "invalid_input",
      `Cannot forward port ${
        JSON.stringify(spec)
      }: the label ${NIDOS_OWN} is for Nido's own way in`,
      { hint: "nido spawn --port 22:2222" },
    );
  }
  return {
    label,
    guest,
    address: address === "localhost" ? LOOPBACK : address,
    host,
    protocol: protocol === "udp" ? "udp" : "tcp",
    isFixed: host !== 0,
  };
}

/** Reads several specs beside ports that are there; what clashes among them is refused. */
export function parsePorts(specs: string[], present: ForwardedPort[] = []): ForwardedPort[] {
  const ports: ForwardedPort[] = [];
  for (const spec of specs) {
    const port = parsePort(spec);
    const clash = clashOf(port, [...present, ...ports]);
    if (clash) {
      throw new NidoError("invalid_input", `Cannot forward ${spec}: ${clash} is used twice`, {
        hint: `the form is ${PORT_FORM}`,
      });
    }
    ports.push(port);
  }
  return ports;
}

function clashOf(port: ForwardedPort, others: ForwardedPort[]): string | undefined {
  const { label, host, protocol, isFixed, guest } = port;
  if (label !== undefined && others.some((other) => other.label === label)) return `label ${label}`;
  const same = others.filter((other) => other.protocol === protocol);
  if (isFixed && same.some((other) => other.host === host)) return `host port ${host}`;
  const isPlain = !isFixed && label === undefined;
  if (isPlain && same.some((other) => other.guest === guest)) return `guest port ${guest}`;
}

/** The ports with Nido's own way in: a forward of guest port 22 on the loopback, labelled `ssh`. */
export function withSshPort(ports: ForwardedPort[]): ForwardedPort[] {
  if (ports.some(({ label }) => label === NIDOS_OWN)) return ports;
  const given = ports.find((port) =>
    port.guest === 22 && port.protocol === "tcp" && port.address === LOOPBACK &&
    port.label === undefined
  );
  if (given) return [{ ...given, label: NIDOS_OWN }, ...ports.filter((port) => port !== given)];
  return [{ ...parsePort("22"), label: NIDOS_OWN }, ...ports];
}

/** Whether `parsePort` can read it. */
export function isPortSpec(spec: string): boolean {
  try {
    return parsePort(spec) !== undefined;
  } catch {
    return false;
  }
}

/** What VMs like one with these ports forward, each to a free port of the host; without Nido's own. */
export function portSpecs(ports: ForwardedPort[]): string[] {
  const known = new Set<string>();
  const specs: string[] = [];
  for (const { label, guest, protocol } of ports.filter(({ label }) => label !== NIDOS_OWN)) {
    const plain = `${guest}${protocol === "udp" ? "/udp" : ""}`;
    if (label === undefined && known.has(plain)) continue;
    known.add(plain);
    specs.push(label === undefined ? plain : `${label}:${plain}`);
  }
  return specs;
}
