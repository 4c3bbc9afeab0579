import { z } from "zod";
import { readConfig } from "../config/config.ts";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { readPublicKeys } from "../guest/keys.ts";
import { loginUser } from "../guest/seed.ts";
import { checkUserData } from "../guest/user_data.ts";
import { requireUnixSockets } from "../host/platform.ts";
import { type Architecture, architecture, type Image } from "../image/image.ts";
import { resolveImage } from "../image/resolve.ts";
import { type Base, imageBase } from "../moment/base.ts";
import type { Moment } from "../moment/moment.ts";
import { field } from "../operation.ts";
import { templateBase } from "../template/base.ts";
import { openTemplate } from "../template/template.ts";
import { vmName } from "./name.ts";
import { newRecord } from "./new_record.ts";
import { parsePorts } from "./port.ts";
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
import { findVm, type VmRecord } from "./vm.ts";

const DEFAULT_IMAGE = "debian:12";

/** What to spawn, as callers say it. */
export const spawnInput = z.strictObject({
  name: vmName.optional().describe("Name of the VM; a friendly free one is made when left out"),
  image: field("nameOrPath", z.string().min(1)).optional().describe(
    "Image to spawn from: a reference such as debian:12, which is pulled when it is not here, a name " +
      "from `nido images`, or the path of a disk; default from `nido config`, else debian:12",
  ),
  architecture: field("rare", architecture).optional().describe(
    "Architecture of the image; default this host's",
  ),
  template: z.string().min(1).optional().describe(
    "Template to spawn from instead of an image; what it knows (user, size, ports) is the default",
  ),
  cpus: cpus.optional().describe("Virtual CPUs; default the template's, else 2"),
  memoryMib: memoryMib.optional().describe("Memory in MiB; default the template's, else 1024"),
  diskGib: diskGib.optional().describe(
    "Disk size in GiB; default the image's or template's own, and never less",
  ),
  user: field("rare", loginUser).optional().describe(
    "Login user, with sudo; default the image's or template's",
  ),
  userData: field("content", z.string()).optional().describe(
    "cloud-init user-data of your own: cloud-config, a script, or a MIME multipart",
  ),
  sshKeys: field("rare", z.array(field("content", z.string())).max(32)).optional().describe(
    "More public keys that may log in",
  ),
  ports: z.array(z.string()).max(64).optional().describe(
    "Ports to forward, [LABEL:]GUEST[:[ADDRESS:]HOST][/udp]: 80 (to a free host port), 80:8080, " +
      "web:80:8080, 53:5353/udp; on 127.0.0.1 unless an address is given; default the template's",
  ),
  labels: labels.optional().describe("Labels to find it by"),
  network: network.optional().describe(
    "full: the guest reaches the outside; none: only forwarded ports answer; default full",
  ),
  accel: field("rare", z.enum(["kvm", "hvf", "whpx", "tcg"]).optional()).describe(
    "Accelerator to insist on; default the best that works",
  ),
  ttlSeconds: ttlSeconds.optional().describe(
    "Seconds after which it is suspended by the next command; default never; vm.set renews it",
  ),
  onExpiry: field("rare", onExpiry).optional().describe(
    "What becomes of it then: suspend (the default) keeps all of it, delete nothing",
  ),
  wait: z.enum(["none", "running", "ready"]).default("ready").describe(
    "When to return: at once after the disk is made, when QEMU runs, or when first boot is finished",
  ),
  timeoutSeconds: field("rare", z.int().min(1).max(86_400).default(600)).describe(
    "Seconds to wait until ready",
  ),
  rmOnFailure: field("rare", z.boolean().default(false)).describe(
    "Remove the VM when it does not get ready in time",
  ),
});

/** What to spawn, checked for its shape. */
export type SpawnRequest = z.output<typeof spawnInput>;

/** What will be made, decided in full before anything is made. */
export interface Plan {
  name?: string;
  base: Base;
  /** The warm base that it wakes from. */
  moment?: Moment;
  record: VmRecord;
  diskBytes: number;
  userData?: string;
  callersKeys: string[];
  /** What the caller is told besides. */
  notes: string[];
}

/** Checks everything that can be checked before anything is made. */
export async function makePlan(context: Context, request: SpawnRequest): Promise<Plan> {
  requireUnixSockets("spawn");
  const config = await readConfig(context);
  const { name, template, image, userData, architecture } = request;
  const reference = image ??
    (template === undefined ? config.image ?? DEFAULT_IMAGE : undefined);
  if (template !== undefined && image !== undefined) {
    throw new NidoError(
      "invalid_input",
      "Cannot spawn: both an image and a template are named, and a VM is made from one",
      { hint: `nido spawn --template ${template}` },
    );
  }
  if (name && await findVm(context, name)) throw nameTaken(name);
  parsePorts(request.ports ?? []);
  if (userData !== undefined) await checkUserData(userData);
  const callersKeys = (request.sshKeys ?? []).flatMap((text) => readPublicKeys(text));
  if (request.memoryMib !== undefined) checkMemory(request.memoryMib, "spawn with");

  const notes: string[] = [];
  const base = reference === undefined
    ? templateBase(await openTemplate(context, template!))
    : imageBase(await imageOf(context, reference, architecture, notes));
  const record = await newRecord(context, base, request, "spawn with");
  await checkPortsAreFree(context, record.ports, "spawn");
  const wantedGib = request.diskGib ?? (base.kind === "image" ? config.diskGib : undefined);
  return {
    name,
    base,
    diskBytes: diskSize(base, wantedGib),
    userData,
    callersKeys,
    notes,
    record,
  };
}

async function imageOf(
  context: Context,
  reference: string,
  architecture: Architecture | undefined,
  notes: string[],
): Promise<Image> {
  const { image, notice } = await resolveImage(context, reference, architecture);
  if (notice) notes.push(notice);
  return image;
}

function diskSize(base: Base, wantedGib: number | undefined): number {
  const own = base.virtualSizeBytes;
  if (wantedGib === undefined) return own;
  const wanted = wantedGib * 2 ** 30;
  if (wanted >= own) return wanted;
  const gib = Math.ceil(own / 2 ** 30 * 100) / 100;
  throw new NidoError(
    "invalid_input",
    `Cannot spawn with a disk of ${wantedGib} GiB: ${base.kind} "${base.name}" is ${gib} GiB, and a disk never shrinks`,
    { hint: `nido spawn --disk ${Math.ceil(gib)}G, or leave --disk out` },
  );
}

/** The error for a name that another VM has. */
export function nameTaken(name: string): NidoError {
  return new NidoError("already_exists", `Cannot spawn VM "${name}": the name is taken`, {
    hint: `nido info ${name}, or leave the name out`,
  });
}
