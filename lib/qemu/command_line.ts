import type { Arch } from "../host/platform.ts";
import { acceleratorArgument, type AcceleratorName, cpuModel } from "./accelerator_name.ts";

/** Everything that decides how QEMU is started; the guest's devices are the same for every VM. */
export interface Machine {
  name: string;
  /** The VM's UUID, by which QEMU is known to be this VM. */
  id: string;
  architecture: Arch;
  /** Versioned, for example `pc-q35-7.2`, so that a newer QEMU shows the guest the same machine. */
  machineType: string;
  accelerator: AcceleratorName;
  cpus: number;
  memoryMib: number;
  /** Memory kept in a file; without it, memory is anonymous. */
  ram?: MemoryFile;
  /** It waits for a state to be loaded before it can run. */
  wakes: boolean;
  /** The guest reaches the outside (`full`), or only answers forwarded ports (`none`). */
  network: "full" | "none";
  /** The operating system that QEMU runs on: `linux`, `darwin`, `windows`. */
  hostOs: string;
  paths: MachinePaths;
}

/** A file that is the guest's memory. */
export interface MemoryFile {
  path: string;
  /** `write`: what the guest writes goes to the file; `copy`: to pages of this machine's own. */
  mode: "write" | "copy";
}

/** The files and sockets on the host's side of a machine. */
export interface MachinePaths {
  /** The layers of the disk: the one that is written to, and under it those that are only read. */
  disk: string[];
  seed: string;
  /** UEFI firmware and this VM's own variables; without it x86-64 starts by BIOS. */
  firmware?: { code: string; vars: string };
  pid: string;
  work: string;
  query: string;
  agent: string;
  hatch: string;
  vnc: string;
}

/** Bytes of console output that QEMU keeps while no command of Nido reads them; a power of two. */
export const CONSOLE_RING_BYTES = 1 << 20;

/** The arguments for `qemu-system-*`: the machine starts paused until `cont`. */
export function commandLine(machine: Machine): string[] {
  return [
    ...identity(machine),
    ...isolation(machine),
    ...board(machine),
    ...processors(machine),
    ...memory(machine),
    ...firmware(machine),
    ...display(machine),
    ...network(machine),
    ...disk(machine),
    ...seed(machine),
    ...serialPorts(machine),
    ...randomness(machine),
    ...usbInput(),
    ...hotplugPorts(),
    ...console(machine),
    ...monitors(machine),
  ];
}

function identity({ name, id, paths }: Machine): string[] {
  return ["-name", option(`guest=${escape(name)}`), "-uuid", id, "-pidfile", paths.pid, "-S"];
}

function isolation({ hostOs }: Machine): string[] {
  const clean = ["-nodefaults", "-no-user-config"];
  if (hostOs !== "linux") return clean; // seccomp is Linux's
  const denied = ["obsolete", "elevateprivileges", "spawn", "resourcecontrol"];
  return [...clean, "-sandbox", ["on", ...denied.map((what) => `${what}=deny`)].join(",")];
}

function board({ architecture, machineType }: Machine): string[] {
  const parts = architecture === "x86_64"
    ? [machineType, "memory-backend=mem0", "vmport=off"]
    : [machineType, "memory-backend=mem0", "gic-version=max"];
  return ["-machine", parts.join(","), "-boot", "menu=off,strict=on", "-rtc", "base=utc"];
}

function processors({ accelerator, architecture, cpus }: Machine): string[] {
  return [
    "-accel",
    acceleratorArgument(accelerator, architecture),
    "-cpu",
    cpuModel(accelerator, architecture),
    "-smp",
    `cpus=${cpus},sockets=1,cores=${cpus},threads=1`,
  ];
}

function memory({ memoryMib, ram, wakes }: Machine): string[] {
  const size = `${memoryMib}M`;
  const backend = ram
    ? option(
      `memory-backend-file,id=mem0,size=${size}`,
      `mem-path=${escape(ram.path)}`,
      `share=${ram.mode === "write" ? "on" : "off"}`,
    )
    : `memory-backend-ram,id=mem0,size=${size}`;
  return ["-m", size, "-object", backend, ...(wakes ? ["-incoming", "defer"] : [])];
}

function firmware({ paths }: Machine): string[] {
  if (!paths.firmware) return [];
  const { code, vars } = paths.firmware;
  return [
    "-blockdev",
    option("driver=file", "node-name=firmware-code", "read-only=on", fileName(code)),
    "-blockdev",
    option("driver=file", "node-name=firmware-vars", fileName(vars)),
    "-machine",
    "pflash0=firmware-code,pflash1=firmware-vars",
  ];
}

/** VNC listens on a private socket from the start: only so can it be shown elsewhere later. */
function display({ architecture, paths }: Machine): string[] {
  const adapter = architecture === "x86_64" ? "VGA" : "virtio-gpu-pci";
  return [
    "-display",
    "none",
    "-vnc",
    option(`vnc=unix:${escape(paths.vnc)}`, "password=on"),
    "-device",
    `${adapter},id=vga0,bus=pcie.0,addr=0x2`,
  ];
}

function network({ network }: Machine): string[] {
  const restrict = network === "none" ? "on" : "off";
  return [
    "-netdev",
    `user,id=net0,restrict=${restrict}`,
    "-device",
    "virtio-net-pci,id=nic0,netdev=net0,mac=52:54:00:12:34:56,romfile=,bus=pcie.0,addr=0x3",
  ];
}

/** Every layer is named with its format: QEMU never guesses one from a guest's bytes. */
function disk({ paths }: Machine): string[] {
  const [top, ...below] = paths.disk;
  const frozen = below.toReversed().flatMap((path, level) => [
    "-blockdev",
    option("driver=file", `node-name=layer${level}-file`, "read-only=on", fileName(path)),
    "-blockdev",
    option(
      "driver=qcow2",
      `node-name=layer${level}`,
      "read-only=on",
      `file=layer${level}-file`,
      ...(level > 0 ? [`backing=layer${level - 1}`] : []),
    ),
  ]);
  const backing = below.length ? [`backing=layer${below.length - 1}`] : [];
  return [
    ...frozen,
    "-blockdev",
    option("driver=file", "node-name=disk-file", "discard=unmap", fileName(top!)),
    "-blockdev",
    option("driver=qcow2", "node-name=disk", "discard=unmap", "file=disk-file", ...backing),
    "-device",
    "virtio-blk-pci,id=disk0,drive=disk,serial=nido-disk,bootindex=0,bus=pcie.0,addr=0x4",
  ];
}

/** The seed is a virtio disk: some cloud images see no SATA or IDE CD-ROM. */
function seed({ paths }: Machine): string[] {
  return [
    "-blockdev",
    option("driver=file", "node-name=seed-file", "read-only=on", fileName(paths.seed)),
    "-blockdev",
    "driver=raw,node-name=seed,read-only=on,file=seed-file",
    "-device",
    "virtio-blk-pci,id=seed0,drive=seed,serial=nido-seed,bus=pcie.0,addr=0x5",
  ];
}

function serialPorts({ paths }: Machine): string[] {
  return [
    "-device",
    "virtio-serial-pci,id=serial0,bus=pcie.0,addr=0x6",
    "-chardev",
    listener("agent", paths.agent),
    "-device",
    "virtserialport,bus=serial0.0,nr=1,chardev=agent,name=org.qemu.guest_agent.0",
    "-chardev",
    listener("hatch", paths.hatch),
    "-device",
    "virtserialport,bus=serial0.0,nr=2,chardev=hatch,name=org.nido.hatch.0",
  ];
}

function randomness({ architecture }: Machine): string[] {
  const rng = [
    "-object",
    "rng-builtin,id=rng0",
    "-device",
    "virtio-rng-pci,rng=rng0,bus=pcie.0,addr=0x7",
  ];
  // QEMU 7.2 has vmgenid for x86 only.
  return architecture === "x86_64" ? [...rng, "-device", "vmgenid,guid=auto"] : rng;
}

function usbInput(): string[] {
  return [
    "-device",
    "qemu-xhci,id=usb0,bus=pcie.0,addr=0x8",
    "-device",
    "usb-tablet,bus=usb0.0,port=1",
    "-device",
    "usb-kbd,bus=usb0.0,port=2",
  ];
}

/** Empty sockets for what is plugged in later. */
function hotplugPorts(): string[] {
  return [0, 1, 2, 3].flatMap((slot) => [
    "-device",
    `pcie-root-port,id=hotplug${slot},chassis=${slot + 1},slot=${slot + 1},bus=pcie.0,` +
    `addr=0x9.${slot}${slot === 0 ? ",multifunction=on" : ""}`,
  ]);
}

/** The serial console goes into a ring: a flooding guest can fill neither disk nor memory. */
function console({ architecture }: Machine): string[] {
  const ring = ["-chardev", `ringbuf,id=console,size=${CONSOLE_RING_BYTES}`];
  return architecture === "x86_64"
    ? [...ring, "-device", "isa-serial,chardev=console"]
    : [...ring, "-serial", "chardev:console"];
}

/** One monitor for work, one for short reads: QEMU serves one client at a time on each. */
function monitors({ paths }: Machine): string[] {
  return [
    "-chardev",
    listener("work", paths.work),
    "-mon",
    "chardev=work,mode=control",
    "-chardev",
    listener("query", paths.query),
    "-mon",
    "chardev=query,mode=control",
  ];
}

function listener(id: string, path: string): string {
  return option("socket", `id=${id}`, `path=${escape(path)}`, "server=on", "wait=off");
}

function fileName(path: string): string {
  return `filename=${escape(path)}`;
}

function option(...parts: string[]): string {
  return parts.join(",");
}

/** A comma inside a value is doubled, or it would begin a new option. */
function escape(value: string): string {
  return value.replaceAll(",", ",,");
}
