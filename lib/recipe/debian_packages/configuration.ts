/** The files and settings that make plain Debian a guest that boots fast and takes a seed. */

/** Linux, GRUB and boot: written before the kernel is installed, so that its initramfs uses them. */
const bootFiles = {
  "/boot/grub/grub.cfg": `set timeout=0
menuentry "Debian" {
  linux /vmlinuz root=LABEL=root ro console=tty0 console=ttyS0,115200
  initrd /initrd.img
}
`,
  "/etc/fstab": `LABEL=root / ext4 errors=remount-ro 0 1
`,
  "/etc/initramfs-tools/conf.d/nido": `MODULES=list
COMPRESS=lz4
`,
  "/usr/share/initramfs-tools/modules.d/nido": `virtio_pci
virtio_blk
`,
};

/** The default locale is what cloud-init compares with before it generates another one. */
const systemFiles = {
  "/etc/default/locale": `LANG=C.UTF-8
`,
  "/etc/ssh/sshd_config.d/nido.conf": `PasswordAuthentication no
`,
  "/etc/systemd/system/systemd-networkd-wait-online.service.d/nido.conf": `[Service]
ExecStart=
ExecStart=/lib/systemd/systemd-networkd-wait-online --any --timeout=10
`,
};

/** Modules that do nothing without a setting of theirs are kept only where a seed may ask for them. */
const cloudInit = {
  "/etc/cloud/cloud.cfg.d/90_nido.cfg": `datasource_list: [ NoCloud, None ]
locale: C.UTF-8
ssh_genkeytypes: [ ed25519 ]
system_info:
  network:
    renderers: [ networkd ]
    activators: [ networkd ]
cloud_init_modules:
 - seed_random
 - bootcmd
 - write-files
 - growpart
 - resizefs
 - disk_setup
 - mounts
 - set_hostname
 - update_hostname
 - update_etc_hosts
 - ca-certs
 - users-groups
 - ssh
cloud_config_modules:
 - ssh-import-id
 - locale
 - set-passwords
 - apt-configure
 - ntp
 - timezone
 - runcmd
cloud_final_modules:
 - package-update-upgrade-install
 - write-files-deferred
 - scripts-vendor
 - scripts-per-once
 - scripts-per-boot
 - scripts-per-instance
 - scripts-user
 - phone-home
 - final-message
 - power-state-change
`,
};

/** Text files by their path in the guest; one that starts with `#!` is executable. */
export const configurationFiles: Readonly<Record<string, string>> = {
  ...bootFiles,
  ...systemFiles,
  ...cloudInit,
};

/** Units that a short-lived guest under emulation has no use for. */
const maskedUnits = [
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "cloud-init-hotplugd.socket",
  "dpkg-db-backup.timer",
  "e2scrub_all.timer",
  "e2scrub_reap.service",
  "fstrim.timer",
  "systemd-pstore.service",
];

/**
 * A shell script for mmdebstrap's customize hook, with the guest's root folder in `$1`.
 * resolv.conf is the list of real servers, so that programs that read it need no stub resolver.
 */
export const customization = `set -eu
chroot "$1" systemctl enable systemd-networkd.service systemd-resolved.service
chroot "$1" systemctl mask ${maskedUnits.join(" ")}
chroot "$1" passwd --lock root
ln -sfn ../run/systemd/resolve/resolv.conf "$1/etc/resolv.conf"
rm -f "$1"/etc/ssh/ssh_host_*_key* "$1"/vmlinuz.old "$1"/initrd.img.old
printf 'localhost\\n' > "$1/etc/hostname"
printf '127.0.0.1 localhost\\n::1 localhost ip6-localhost ip6-loopback\\n' > "$1/etc/hosts"
`;
