#!/bin/sh
# Tries a release's binary on the system that it is for: sh scripts/ci/smoke.sh FOLDER
# FOLDER holds the files of the release. Where KVM can be used, a command runs in a VM, too.
set -eu

folder=$(cd "${1:?say in which folder the release is}" && pwd)
project=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=scripts/setup/say.sh
. "$project/scripts/setup/say.sh"

main() {
  check_sums
  binary=$(binary_here)
  [ -f "$binary" ] || fail "Cannot try the release: $binary is not there"
  chmod 755 "$binary"
  NIDO_HOME=$(mktemp -d "${TMPDIR:-/tmp}/nido-smoke.XXXXXX")
  export NIDO_HOME
  trap 'rm -rf "$NIDO_HOME"' EXIT
  trap 'exit 130' INT TERM HUP

  said=$("$binary" version --json) || fail "Cannot start $binary: $said"
  case $said in
    *"\"version\":\"$version\""*) say "ok      version $version" ;;
    *) fail "Cannot release $binary as $version: it says $said" ;;
  esac
  # Status 1 means that this machine lacks something; the examination itself has to work.
  status=0
  said=$("$binary" doctor --json) || status=$?
  case $status:$said in
    [01]:*'"command":"system.doctor","status":"ok"'*) say "ok      doctor" ;;
    *) fail "Cannot examine this machine with $binary: status $status: $said" ;;
  esac
  run_in_vm
}

check_sums() {
  if have sha256sum; then
    (cd "$folder" && sha256sum -c SHA256SUMS >/dev/null)
  else
    (cd "$folder" && shasum -a 256 -c SHA256SUMS >/dev/null)
  fi || fail "Cannot try the release in $folder: its files are not those of SHA256SUMS"
  version=$(sed -n 's/^[0-9a-f]\{64\} [ *]nido-\([0-9A-Za-z.-]*\)\.js$/\1/p' "$folder/SHA256SUMS")
  say "ok      digests of $(wc -l <"$folder/SHA256SUMS" | tr -d ' ') files"
}

# As lib/system/installed/release.ts calls it.
binary_here() {
  case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=macos ;;
    *) system=windows ;;
  esac
  case $(uname -m) in
    aarch64 | arm64) arch=aarch64 ;;
    *) arch=x86_64 ;;
  esac
  name=$folder/nido-$version-$system-$arch
  [ "$system" != windows ] || name=$name.exe
  say "$name"
}

run_in_vm() {
  if [ ! -w /dev/kvm ]; then
    say "skipped a VM: there is no KVM that can be used here"
    return 0
  fi
  said=$("$binary" run --image debian:12 -- uname -s) || fail "Cannot run a VM with $binary: $said"
  [ "$said" = Linux ] || fail "Cannot run a VM with $binary: uname said $said"
  say "ok      a command in a VM"
}

main
