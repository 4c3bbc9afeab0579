import type { Context } from "../context.ts";
import { holdDisk } from "../image/hold.ts";
import type { Architecture, Firmware, Image } from "../image/image.ts";
import type { Lock } from "../store/lock.ts";

/** What VMs are made from: an image or a template. */
export interface Base {
  kind: "image" | "template";
  name: string;
  digest: string;
  /** The read-only disk that overlays stand on. */
  diskPath: string;
  virtualSizeBytes: number;
  architecture: Architecture;
  firmware: Firmware;
  user: string;
  /** The image that it is, or was made from. */
  image: { name: string; digest: string };
  /** Pinned by a template; an image takes the newest that QEMU has. */
  machineType?: string;
  /** What VMs are where nobody says otherwise; they count more than the settings. */
  defaults?: BaseDefaults;
  /** Keeps it in place while something that stands on it is being made. */
  hold(context: Context, doing: string): Promise<Lock>;
}

/** What a template knows of its VMs. */
export interface BaseDefaults {
  cpus: number;
  memoryMib: number;
  user: string;
  network: "full" | "none";
  /** As `--port` takes them. */
  ports: string[];
}

/** An image as a base. */
export function imageBase(image: Image): Base {
  const { name, digest, diskPath, architecture, user, disk } = image;
  return {
    kind: "image",
    name,
    digest,
    diskPath,
    virtualSizeBytes: disk.virtualSizeBytes,
    architecture,
    firmware: architecture === "aarch64" ? "uefi" : image.firmware,
    user,
    image: { name, digest },
    hold: (context, doing) => holdDisk(context, image, doing),
  };
}
