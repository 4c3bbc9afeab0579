/** What the image is made of, and the key that names the result. */

/** Debian 12. */
export const suite = "bookworm";

/** Debian's name for x86-64, the one architecture whose boot loader is written here. */
export const architecture = "amd64";

/** Size of the disk as the guest sees it; growpart takes what a larger overlay adds. */
export const diskMib = 2048;

/** Packages on top of Debian's required and important-for-apt ones (`minbase`). */
export const packages: readonly string[] = [
  "usr-is-merged",
  "linux-image-cloud-amd64",
  "systemd-sysv",
  "udev",
  "dbus",
  "systemd-resolved",
  "iproute2",
  "iputils-ping",
  "netbase",
  "openssh-server",
  "openssh-sftp-server",
  "cloud-init",
  "cloud-guest-utils",
  "fdisk",
  "e2fsprogs",
  "qemu-guest-agent",
  "sudo",
  "ca-certificates",
  "procps",
  "kmod",
  "less",
];

/** Packages that only the build needs; purged once GRUB's files are made. */
export const bootLoaderPackages: readonly string[] = ["grub-pc-bin", "grub-common"];

/** Paths that dpkg leaves out, now and in the guest's own later installs. */
export const excludedPaths: readonly string[] = [
  "/usr/share/man/*",
  "/usr/share/info/*",
  "/usr/share/locale/*",
  "/usr/share/doc/*/*",
];

/** Exceptions to `excludedPaths`: licences stay with what they cover. */
export const keptPaths: readonly string[] = [
  "/usr/share/locale/locale.alias",
  "/usr/share/doc/*/copyright",
];

const sourceFiles = [
  "../guest_image.ts",
  "cache.ts",
  "configuration.ts",
  "disk.ts",
  "mirror.ts",
  "partition_table.ts",
  "programs.ts",
  "recipe.ts",
  "root_file_system.ts",
];

/** The image's name in the cache: a hash of this script's source, which holds the whole recipe. */
export async function recipeKey(): Promise<string> {
  const texts = await Promise.all(
    sourceFiles.map((file) => Deno.readTextFile(new URL(file, import.meta.url))),
  );
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(texts.join("\0")));
  return `debian-${suite}-${architecture}-${new Uint8Array(digest).toHex().slice(0, 16)}`;
}
