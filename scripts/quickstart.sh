#!/bin/sh
# From nothing to a running VM: sh scripts/quickstart.sh [IMAGE]
# IMAGE (or NIDO_IMAGE) is a disk image to use in place of the Debian 12 that is made here.
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
image_name=debian-12
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

# Sets $image to what `nido spawn --image` takes.
choose_image() {
  if [ -n "$given_image" ]; then
    [ -f "$given_image" ] || fail "Cannot use the image $given_image: there is no such file"
    image=$given_image
    return 0
  fi
  say "Making the Debian 12 guest image (a minute; later runs find it)"
  file=$(guest_image "$project" "name the file of one: sh scripts/quickstart.sh FILE") || exit 1
  image=$image_name
  import_status=0
  import_words=$(nido image import "$file" --name "$image_name" --quiet 2>&1) || import_status=$?
  case $import_status in
    0) ;;
    4) say "Keeping the image \"$image_name\" that is there, made from another file" ;;
    *) fail "Cannot import $file: $import_words" ;;
  esac
}

hatch() {
  state=$(vm_state)
  case $state in
    '')
      choose_image
      say "Hatching the VM \"$vm\" (first boot: under a minute with acceleration, a few without)"
      told=$(nido spawn "$vm" --image "$image") && printf '%s\n' "$told" | grep -v '^  nido '
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
