#!/bin/sh
# Makes a CI machine ready for VMs: installs QEMU and what else Nido calls, and opens KVM for its user.
#   sh scripts/ci/ready_host.sh [--packages]
# With --packages only the packages are installed, as in the making of a container image.
set -eu

project=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=scripts/setup/say.sh
. "$project/scripts/setup/say.sh"
# shellcheck source=scripts/setup/packages.sh
. "$project/scripts/setup/packages.sh"

KVM=${NIDO_KVM_DEVICE:-/dev/kvm}
RULE=${NIDO_KVM_RULE:-/etc/udev/rules.d/99-nido-kvm.rules}

main() {
  install_programs
  [ "${1:-}" = --packages ] || [ "$(uname -s)" != Linux ] || open_kvm
}

install_programs() {
  case $(uname -m) in
    x86_64 | amd64) install_needs qemu-system-x86_64 qemu-img ssh ps kill curl ca-certificates ;;
    aarch64 | arm64)
      install_needs qemu-system-aarch64 firmware-aarch64 qemu-img ssh ps kill curl ca-certificates
      ;;
    *) fail "Cannot run VMs on $(uname -m): Nido knows x86_64 and aarch64" ;;
  esac
}

# Hosted runners have the device, but not for the user of the job.
open_kvm() {
  if [ ! -e "$KVM" ]; then
    say "There is no $KVM here: guests are emulated, which is right but slow"
    return 0
  fi
  if ! is_open && root_prefix >/dev/null; then
    # Guests do without; what this comes to is told below.
    (open_as_root) || true
  fi
  if is_open; then
    say "$KVM can be used"
  else
    say "$KVM is closed to $(id -un): guests are emulated, which is right but slow"
  fi
}

is_open() {
  [ -r "$KVM" ] && [ -w "$KVM" ]
}

open_as_root() {
  if have udevadm; then
    echo 'KERNEL=="kvm", GROUP="kvm", MODE="0666", OPTIONS+="static_node=kvm"' >"$scratch"
    as_root cp "$scratch" "$RULE" &&
      as_root udevadm control --reload-rules &&
      as_root udevadm trigger --name-match=kvm --settle
  fi
  # Where no udev runs, as in containers.
  is_open || as_root chmod 0666 "$KVM"
}

scratch=$(mktemp "${TMPDIR:-/tmp}/nido-kvm.XXXXXX")
trap 'rm -f "$scratch"' EXIT
trap 'exit 130' INT TERM HUP
chmod 644 "$scratch"
main "$@"
