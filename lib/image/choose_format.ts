import { acceptQcow2 } from "./accept_qcow2.ts";
import { type DiskFormat, isDescriptor, recogniseDisk } from "./disk_format.ts";
import { parseQcow2, type Qcow2Header } from "./qcow2.ts";
import type { Refuse } from "./refuse.ts";

/** What is known of a disk before its first byte was read. */
export interface Expected {
  /** What it is said to be; by default its own marks decide. */
  format?: DiskFormat;
  /** Marks of another format than raw are the guest's own: the user says so. */
  isRawAnyway?: boolean;
  /** The path or address shown in hints. */
  label: string;
  refuse: Refuse;
}

const TITLES: Record<DiskFormat, string> = {
  qcow2: "a qcow2 image",
  raw: "a raw disk",
  vmdk: "a VMDK disk",
  vhdx: "a VHDX disk",
  vdi: "a VDI disk",
};

/** The format of a disk and, for qcow2, its header; throws when they are not what is expected. */
export function chooseFormat(
  head: Uint8Array,
  expected: Expected,
): { format: DiskFormat; header?: Qcow2Header } {
  const format = formatOf(head, expected);
  if (format !== "qcow2") return { format };
  const header = readHeader(head, expected.refuse);
  acceptQcow2(header, expected.refuse);
  return { format, header };
}

function formatOf(
  head: Uint8Array,
  { format, isRawAnyway, label, refuse }: Expected,
): DiskFormat {
  if (format === "raw" && isRawAnyway) return "raw";
  const recognised = recogniseDisk(head);
  if (isDescriptor(head)) {
    throw refuse("denied", "it is a VMDK descriptor, which names other files of this host");
  }
  if (recognised.kind === "foreign") {
    const { title, convertFrom } = recognised;
    throw refuse("invalid_input", `it is ${title}, which Nido does not read`, {
      hint: convertFrom && `qemu-img convert -f ${convertFrom} -O qcow2 ${label} disk.qcow2`,
    });
  }
  if (recognised.kind === "unknown") {
    if (format === "raw") return "raw";
    if (format) throw refuse("invalid_input", `it is not ${TITLES[format]}`);
    throw refuse("invalid_input", "it is not a disk image", {
      hint: `nido image import ${label} --format raw`,
    });
  }
  if (format === undefined || format === recognised.kind) return recognised.kind;
  throw refuse("invalid_input", `it is not ${TITLES[format]} but ${TITLES[recognised.kind]}`);
}

function readHeader(head: Uint8Array, refuse: Refuse): Qcow2Header {
  try {
    return parseQcow2(head);
  } catch (fault) {
    throw refuse("integrity", fault instanceof Error ? fault.message : String(fault));
  }
}
