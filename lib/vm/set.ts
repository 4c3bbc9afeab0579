import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { readQcow2 } from "../image/qcow2.ts";
import { operation } from "../operation.ts";
import { growDisk } from "../qemu/image_tool.ts";
import { activeLayer, growLiveDisk, isAt } from "../qemu/layer_switch.ts";
import { vmFiles } from "../store/files.ts";
import { writeRecord } from "../store/record.ts";
import { addForward, removeOtherForwards } from "./forward.ts";
import { endHalfStarted } from "./launch.ts";
import { leaseFor } from "./lease.ts";
import { type ForwardedPort, parsePorts } from "./port.ts";
import { checkPortsAreFree } from "./port_taken.ts";
import {
  checkMemory,
  cpus,
  diskGib,
  labels,
  memoryMib,
  network,
  onExpiry,
  ttlSeconds,
} from "./shape.ts";
import { mustBeSound, openVm, type SoundVm, vmField, vmState, withMonitor, withVm } from "./vm.ts";

const input = z.strictObject({
  name: vmField,
  cpus: cpus.optional().describe("Virtual CPUs; the VM must be stopped"),
  memoryMib: memoryMib.optional().describe("Memory in MiB; the VM must be stopped"),
  diskGib: diskGib.optional().describe("Grow the disk to this many GiB; a disk never shrinks"),
  network: network.optional().describe("full or none; the VM must be stopped"),
  ports: z.array(z.string()).max(64).optional().describe(
    "Ports to forward besides those it has, in the form that spawn takes",
  ),
  removePorts: z.array(z.string()).max(64).optional().describe(
    "Ports to forward no longer, each by its label or guest port",
  ),
  labels: labels.optional().describe("Labels to add or change; an empty value removes one"),
  ttlSeconds: ttlSeconds.optional().describe(
    "Seconds from now after which it is suspended, in place of an earlier lease; 0: never",
  ),
  onExpiry: onExpiry.optional().describe("What becomes of it then; default as before, or suspend"),
});

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  state: vmState,
  changed: z.array(z.string()).describe("What is different now"),
  notes: z.array(z.string()).describe("What remains to be done"),
});

type Request = z.output<typeof input>;

/** Changes a VM: labels, ports and a larger disk at any time, its shape while it is stopped. */
export async function set(context: Context, request: Request): Promise<z.input<typeof output>> {
  return await withVm(context, request.name, "change", async (vm) => {
    const sound = mustBeSound(vm);
    await endHalfStarted(sound);
    checkShapeMayChange(sound, request);
    if (request.memoryMib) checkMemory(request.memoryMib, `change VM "${vm.name}" to`);
    const notes: string[] = [];
    const changed = changeShape(sound, request);
    if (changeLease(context, sound, request)) changed.push("lease");
    if (request.diskGib !== undefined && await grow(context, sound, request.diskGib)) {
      changed.push("disk");
      notes.push("the guest's file system grows at its next start");
    }
    if (request.ports || request.removePorts) {
      await changePorts(context, sound, request);
      changed.push("ports");
    }
    await writeRecord(join(sound.folder, vmFiles.record), sound.record);
    const { name, state } = await openVm(context, request.name);
    return { name, state, changed, notes };
  });
}

function checkShapeMayChange(vm: SoundVm, request: Request): void {
  const isSuspended = vm.state === "suspended";
  if (vm.pid === undefined && !isSuspended) return;
  // Memory that is to wake fits nothing but the shape and the disk that it was frozen with.
  const fixed = ["cpus", "memoryMib", "network", ...(isSuspended ? ["diskGib"] as const : [])];
  const wanted = fixed.filter((key) => request[key as keyof Request] !== undefined);
  if (wanted.length === 0) return;
  const told = wanted.map((key) => key.replace(/Mib|Gib/, "")).join(", ");
  throw new NidoError(
    "wrong_state",
    `Cannot change ${told} of VM "${vm.name}": it is ${vm.state}`,
    {
      hint: isSuspended ? `nido resume ${vm.name}` : `nido stop ${vm.name}`,
      details: { state: vm.state },
    },
  );
}

function changeShape({ record }: SoundVm, request: Request): string[] {
  const changed: string[] = [];
  const { cpus = record.cpus, memoryMib = record.memoryMib, network = record.network } = request;
  for (const [key, value] of Object.entries({ cpus, memoryMib, network })) {
    if (record[key as keyof typeof record] !== value) changed.push(key.replace("Mib", ""));
  }
  Object.assign(record, { cpus, memoryMib, network });
  for (const [key, value] of Object.entries(request.labels ?? {})) {
    if (value === "") delete record.labels[key];
    else record.labels[key] = value;
    changed.push(`label ${key}`);
  }
  return changed;
}

function changeLease(context: Context, { record }: SoundVm, request: Request): boolean {
  const { ttlSeconds, onExpiry = record.lease?.onExpiry } = request;
  if (ttlSeconds !== undefined) record.lease = leaseFor(context, { ttlSeconds, onExpiry });
  else if (record.lease && request.onExpiry) record.lease.onExpiry = request.onExpiry;
  else return false;
  return true;
}

async function grow(context: Context, vm: SoundVm, diskGib: number): Promise<boolean> {
  const disk = join(vm.folder, vm.record.disk);
  const { virtualSizeBytes } = await readQcow2(disk);
  const wanted = diskGib * 2 ** 30;
  if (wanted === virtualSizeBytes) return false;
  if (wanted < virtualSizeBytes) {
    const gib = Math.round(virtualSizeBytes / 2 ** 30 * 100) / 100;
    throw new NidoError(
      "invalid_input",
      `Cannot set the disk of VM "${vm.name}" to ${diskGib} GiB: it is ${gib} GiB, and a disk never shrinks`,
      { hint: `nido set ${vm.name} --disk ${Math.ceil(gib)}G` },
    );
  }
  if (vm.pid === undefined) await growDisk(context, disk, wanted);
  else {
    await withMonitor(context, vm, "work", async (qmp) => {
      // A freeze that was killed may have named a layer to which the machine does not write yet.
      if (!isAt(await activeLayer(qmp), disk)) await growDisk(context, disk, wanted);
      await growLiveDisk(qmp, wanted);
    });
  }
  return true;
}

async function changePorts(context: Context, vm: SoundVm, request: Request): Promise<void> {
  const doing = `change VM "${vm.name}"`;
  const { record } = vm;
  const leaving = (request.removePorts ?? []).map((spec) => forwarded(vm, spec));
  const staying = record.ports.filter((port) => !leaving.includes(port));
  const coming = parsePorts(request.ports ?? [], staying);
  if (vm.pid === undefined) await checkPortsAreFree(context, coming, doing);
  else {
    await withMonitor(context, vm, "work", async (qmp) => {
      await removeOtherForwards(qmp, staying);
      await checkPortsAreFree(context, coming, doing);
      for (const port of coming) await addForward(context, qmp, port, doing);
    });
  }
  record.ports = [...staying, ...coming];
}

/** The port that a label or a guest port means. */
function forwarded(vm: SoundVm, spec: string): ForwardedPort {
  const [guest, protocol = "tcp"] = spec.split("/");
  const port = vm.record.ports.find((port) =>
    port.label === spec || (String(port.guest) === guest && port.protocol === protocol)
  );
  if (port && port.label !== "ssh") return port;
  const fact = port ? "Nido itself needs it" : "it is not forwarded";
  throw new NidoError(
    port ? "denied" : "not_found",
    `Cannot stop forwarding ${spec} of VM "${vm.name}": ${fact}`,
    { hint: `nido info ${vm.name}` },
  );
}

export default operation({
  name: "vm.set",
  summary: "Change a VM's size, ports, labels or lease",
  description:
    "Labels, lease, ports and a larger disk at any time; CPUs, memory and network while it is stopped.",
  effect: "change",
  input,
  output,
  positional: ["name"],
  examples: [
    "nido set web --memory 4G --cpus 4",
    "nido set web --port 443:8443 --label tier=front",
  ],
  text: ({ name, changed, notes }) =>
    [`"${name}": ${changed.length ? `changed ${changed.join(", ")}` : "nothing changed"}`, ...notes]
      .join("\n  "),
  run: set,
});
