import type { Base } from "../moment/base.ts";
import { holdTemplate } from "./hold.ts";
import type { Template } from "./template.ts";

/** A template as a base. */
export function templateBase(template: Template): Base {
  const { name, digest, diskPath, diskSizeBytes, architecture, firmware, machineType } = template;
  const { cpus, memoryMib, user, network, ports } = template;
  return {
    kind: "template",
    name,
    digest,
    diskPath,
    virtualSizeBytes: diskSizeBytes,
    architecture,
    firmware,
    user,
    image: template.source.image,
    machineType,
    defaults: { cpus, memoryMib, user, network, ports },
    hold: (context, doing) => holdTemplate(context, template, doing),
  };
}
