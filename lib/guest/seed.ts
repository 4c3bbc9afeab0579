import { z } from "zod";
import { writeIso } from "./iso9660.ts";
import { type CloudConfig, composeUserData } from "./user_data.ts";

/** What a guest's first boot is given. */
export interface Seed {
  /** Another id makes cloud-init treat the guest as new. */
  instanceId: string;
  hostname: string;
  /** The login user; `root` logs in as root and makes no user. */
  user: string;
  /** Lines of an authorized_keys file. */
  authorizedKeys: string[];
  /** The guest's only SSH host key, OpenSSH PEM and `ssh-ed25519 AAAA...`. */
  hostKey: { private: string; public: string };
  /** The caller's user-data, in any form that cloud-init knows. */
  userData?: string;
}

/** The name of a login user, as every Linux distribution takes it. */
export const loginUser = z.string().regex(
  /^[a-z_][a-z0-9_-]{0,31}$/,
  "must be 1 to 32 of a-z 0-9 _ - and start with a letter or _",
);

/**
 * The size that a seed's file is given: the largest user-data fits, and a guest that was frozen beside
 * one seed finds a disk of the size that it knows when it wakes beside another.
 */
export const SEED_BYTES = 4 << 20;

// The image's content decides its bytes, not the moment of writing.
const MODIFIED_AT = new Date("2020-01-01T00:00:00Z");

/** Makes the NoCloud seed image (label CIDATA): meta-data and user-data, nothing else. */
export async function seedImage(seed: Seed): Promise<Uint8Array> {
  const text = new TextEncoder();
  return writeIso({
    label: "CIDATA",
    modifiedAt: MODIFIED_AT,
    files: [
      { name: "meta-data", content: text.encode(metaData(seed)) },
      {
        name: "user-data",
        content: text.encode(await composeUserData(ownCloudConfig(seed), seed.userData)),
      },
    ],
  });
}

/**
 * Nido's own cloud-config. The login user is the image's default user under another name (the
 * top-level `user`), so its groups and shell are the distribution's own, it needs no place in the
 * caller's `users` list, and the caller's `ssh_authorized_keys` are its too.
 */
export function ownCloudConfig({ user, hostname, hostKey }: Seed): CloudConfig {
  const root = user === "root";
  return {
    defaults: {
      manage_etc_hosts: "localhost",
      growpart: { mode: "auto", devices: ["/"] },
      package_update: false,
    },
    enforced: {
      user: {
        name: user,
        lock_passwd: true,
        ...(root ? {} : { gecos: "Nido", sudo: "ALL=(ALL) NOPASSWD:ALL" }),
      },
      hostname,
      preserve_hostname: false,
      ssh_pwauth: false,
      disable_root: !root,
      // With ssh_keys given, cloud-init makes no others.
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: hostKey.private, ed25519_public: `${hostKey.public.trim()}\n` },
      allow_public_ssh_keys: true,
    },
  };
}

/** The keys stand here rather than in the user-data: no caller's `users` entry can replace them. */
function metaData({ instanceId, hostname, authorizedKeys }: Seed): string {
  const lines = [
    `instance-id: ${JSON.stringify(instanceId)}`,
    `local-hostname: ${JSON.stringify(hostname)}`,
    "public-keys:",
    ...authorizedKeys.map((key) => `  - ${JSON.stringify(key.trim())}`),
  ];
  return `${lines.join("\n")}\n`;
}
