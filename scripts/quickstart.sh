#!/bin/sh
# From nothing to a running VM: sh scripts/quickstart.sh [IMAGE]
# IMAGE (or NIDO_IMAGE) is a disk image to use in place of Debian 12, which is pulled or made here.
set -eu

project=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/setup/say.sh
. "$project/scripts/setup/say.sh"
# shellcheck source=scripts/setup/packages.sh
. "$project/scripts/setup/packages.sh"
# shellcheck source=scripts/setup/deno.sh
. "$project/scripts/setup/deno.sh"
# shellcheck source=scripts/setup/guest_image.sh
. "$project/scripts/setup/guest_image.sh"

vm=quickstart
image_name=debian:12
given_image=${1:-${NIDO_IMAGE:-}}
started_at=$(now)

nido() {
  "$project/scripts/nido" "$@"
}

guest_architecture() {
  case $(uname -m) in
    x86_64 | amd64) echo x86_64 ;;
    aarch64 | arm64) echo aarch64 ;;
    *) fail "Cannot run VMs on $(uname -m): Nido knows x86_64 and aarch64" ;;
  esac
}

prepare_host() {
  architecture=$(guest_architecture)
  ensure_deno
  say "Deno: $(deno --version | sed -n '1s/^deno \([^ ]*\).*/\1/p')"
  install_needs "qemu-system-$architecture" qemu-img ssh ps kill
  [ "$architecture" = x86_64 ] || install_needs "firmware-$architecture"
  say "QEMU: $("qemu-system-$architecture" --version | sed -n '1s/^QEMU emulator version \([^ ]*\).*/\1/p')"
  quietly deno cache --config "$project/deno.json" "$project/main.ts" ||
    fail "Cannot fetch the libraries that deno.json names"
}

# The VM's state, or nothing where there is no such VM.
vm_state() {
  nido info "$vm" --json 2>/dev/null | sed -n 's/.*"state":"\([a-z]*\)".*/\1/p'
}

# Spawns from the given image, else from Debian 12. Where that can't be pulled, nor made with what is
# here (host_missing and unavailable), it is made once that is installed. $told is what spawn said.
spawn() {
  if [ -n "$given_image" ]; then
    [ -f "$given_image" ] || fail "Cannot use the image $given_image: there is no such file"
    told=$(nido spawn "$vm" --image "$given_image")
    return
  fi
  spawn_status=0
  told=$(nido spawn "$vm" --image "$image_name") || spawn_status=$?
  case $spawn_status in
    0) return 0 ;;
    9 | 11) ;;
    *) return "$spawn_status" ;;
  esac
  say "Making the Debian 12 guest image (two minutes; later runs find it)"
  guest_image_needs "name the file of one: sh scripts/quickstart.sh FILE"
  nido image build debian-12 --name "$image_name" \
    ${NIDO_DEBIAN_MIRROR:+--mirror "$NIDO_DEBIAN_MIRROR"} >/dev/null || return
  told=$(nido spawn "$vm" --image "$image_name")
}

hatch() {
  state=$(vm_state)
  case $state in
    '')
      say "Hatching the VM \"$vm\" (first boot: under a minute with acceleration, a few without)"
      spawn && printf '%s\n' "$told" | grep -v '^  nido '
      ;;
    running) say "The VM \"$vm\" is running already" ;;
    paused | suspended)
      say "Waking the VM \"$vm\""
      nido resume "$vm" >/dev/null
      ;;
    stopped | crashed)
      say "Starting the VM \"$vm\" again"
      nido start "$vm" >/dev/null
      ;;
    *) fail "The VM \"$vm\" is $state; remove it and run this again: scripts/nido delete $vm --force" ;;
  esac || fail "The VM \"$vm\" did not get ready; look further: $project/scripts/nido logs $vm"
}

# shellcheck disable=SC2016 # the guest's shell expands it
greet() {
  greeting=$(nido exec "$vm" -- sh -c '. /etc/os-release && printf "%s, Linux %s, %s at %s" \
    "$PRETTY_NAME" "$(uname -r)" "$(id -un)" "$(hostname)"' </dev/null)
}

prepare_host
hatch
# A VM that was left in its first boot doesn't answer yet.
greet 2>/dev/null || { nido wait "$vm" >/dev/null && greet; } ||
  fail "The VM \"$vm\" doesn't answer; look further: $project/scripts/nido logs $vm"
say "Inside the VM: $greeting"
launcher=$project/scripts/nido
case $(pwd) in "$project") launcher=scripts/nido ;; esac
cat <<TEXT
Ready after $(($(now) - started_at)) s. Go on with
  $launcher exec $vm -- uname -a     run a command inside
  $launcher ssh $vm                  look around
  $launcher stop $vm                 stop it; start it again with start
  $launcher delete $vm --force       throw it away
  $launcher --help                   everything else
TEXT
