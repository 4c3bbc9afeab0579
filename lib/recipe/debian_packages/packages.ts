/** Debian's name for x86-64, the one architecture whose boot loader is written here. */
export const architecture = "amd64";

/** Packages that every guest needs, on top of Debian's required and important-for-apt ones. */
export const guestPackages: readonly string[] = [
  "usr-is-merged",
  "linux-image-cloud-amd64",
  "systemd-sysv",
  "udev",
  "dbus",
  "systemd-resolved",
  "iproute2",
  "netbase",
  "openssh-server",
  "openssh-sftp-server",
  "cloud-init",
  "cloud-guest-utils",
  "fdisk",
  "e2fsprogs",
  "qemu-guest-agent",
  "sudo",
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
