import { z } from "zod";
import { digest } from "../digest.ts";
import { loginUser } from "../guest/seed.ts";
import { architecture, firmware } from "../image/image.ts";
import { isPortSpec } from "../vm/port.ts";
import { cpus, labels, memoryMib, network } from "../vm/shape.ts";

/** The name of a template: a file name on every platform, and never a path. */
export const templateName = z.string().regex(
  /^[a-z0-9][a-z0-9._-]{0,63}$/,
  "use a-z 0-9 . _ - (at most 64, beginning with a letter or a digit)",
);

const MACHINE_TYPE = /^[a-z0-9]+(-[a-z0-9.]+)*$/;
const bytes = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/**
 * `templates/<name>/template.json`. It may come from elsewhere, by an import, so every field is bound
 * to what it may be.
 */
export const templateRecord = z.strictObject({
  schemaVersion: z.literal(1),
  name: templateName,
  digest,
  createdAt: z.iso.datetime(),
  description: z.string().max(500).optional(),
  labels,
  source: z.strictObject({
    vm: z.string().max(63),
    image: z.strictObject({ name: z.string().max(200), digest: z.string().max(100) }),
  }),
  architecture,
  firmware,
  machineType: z.string().max(60).regex(MACHINE_TYPE, "it is no machine type of QEMU"),
  cpus,
  memoryMib,
  diskSizeBytes: bytes,
  user: loginUser,
  network,
  ports: z.array(z.string().max(60).refine(isPortSpec)).max(64),
  keptIdentity: z.boolean(),
  sizes: z.strictObject({ compactBytes: bytes, expandedBytes: bytes.optional() }),
});

/** What is known of a template. */
export type TemplateRecord = z.output<typeof templateRecord>;
