#!/bin/sh
# Installs Nido for the user who runs it:
#   curl -fsSL ADDRESS/install.sh | sh
#   sh install.sh [--version VERSION] [--dir FOLDER] [--from ADDRESS] [--no-modify-path] [--unattended]
# Nothing is installed that doesn't have the digest which the release publishes.
set -eu

RELEASES=https://github.com/nido-vm/nido/releases
BEGIN='# >>> nido >>>'
END='# <<< nido <<<'

main() {
  version=
  dir=${HOME:?}/.local/bin
  from=${NIDO_RELEASES:-$RELEASES}
  modify_path=yes
  unattended=
  read_options "$@"
  from=${from%/}
  check_address
  check_folder
  system=$(system_name)

  scratch=$(mktemp -d "${TMPDIR:-/tmp}/nido-install.XXXXXX") || fail "Cannot make a temporary folder"
  candidate=
  trap 'rm -rf "$scratch" ${candidate:+"$candidate"}' EXIT
  trap 'exit 130' INT TERM HUP
  install_binary
  install_completions
  [ -z "$modify_path" ] || add_to_path
  offer_qemu
  say ""
  "$dir/nido" doctor || say "Nido is installed; what is blocked above keeps it from running VMs."
}

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --version | --dir | --from)
        [ -n "${2:-}" ] || fail "Cannot read the options: $1 needs a value"
        case $1 in
          --version) version=${2#v} ;;
          --dir) dir=$2 ;;
          --from) from=$2 ;;
        esac
        shift
        ;;
      --no-modify-path) modify_path= ;;
      --unattended) unattended=yes ;;
      *) fail "Cannot read the options: $1 is unknown; there are --version, --dir, --from," \
        "--no-modify-path and --unattended" ;;
    esac
    shift
  done
}

# What is fetched there runs here, so nobody on the way may write in it.
check_address() {
  case $from in
    *@*) fail "Cannot take Nido from $from: it names a user" ;;
    https://*) curl_protocols='=https' ;;
    http://localhost | http://localhost[:/]* | http://127.0.0.1 | http://127.0.0.1[:/]*)
      curl_protocols='=https,http'
      ;;
    *) fail "Cannot take Nido from $from: it is not https" ;;
  esac
}

check_folder() {
  case $dir in
    *[\"\$\`\\:\']*) fail "Cannot install into $dir: PATH can't hold such a name" ;;
    /*) ;;
    *) dir=$(pwd)/$dir ;;
  esac
}

# As the files of a release are called: linux-x86_64.
system_name() {
  case $(uname -s) in
    Linux)
      os=linux
      if [ -e /etc/alpine-release ]; then
        fail "Cannot install Nido: its binary needs glibc, which Alpine has not;" \
          "with Deno, deno run -A jsr:@nido/cli works"
      fi
      ;;
    Darwin) os=macos ;;
    MINGW* | MSYS* | CYGWIN*) fail "Cannot install Nido from here: on Windows, run install.ps1" ;;
    *) fail "Cannot install Nido: there is no binary for $(uname -s)" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) arch=x86_64 ;;
    aarch64 | arm64) arch=aarch64 ;;
    *) fail "Cannot install Nido: there is no binary for $(uname -m)" ;;
  esac
  # A shell that is translated on an arm64 Mac sees an x86_64 one.
  if [ "$os" = macos ] && [ "$(sysctl -n hw.optional.arm64 2>/dev/null)" = 1 ]; then
    arch=aarch64
  fi
  say "$os-$arch"
}

install_binary() {
  sums=$scratch/SHA256SUMS
  if [ -n "$version" ]; then
    download "$from/download/v$version/SHA256SUMS" "$sums"
  else
    download "$from/latest/download/SHA256SUMS" "$sums"
  fi
  found=$(sed -n 's/^[0-9a-f]\{64\} [ *]nido-\([0-9A-Za-z.-]*\)\.js$/\1/p' "$sums" | head -n 1)
  [ -n "$found" ] || fail "Cannot install Nido: $from sends a SHA256SUMS that is not of a release"
  [ "${version:-$found}" = "$found" ] || fail "Cannot install Nido $version: $from sends $found"
  version=$found
  name=nido-$version-$system
  digest=$(awk -v name="$name" '$2 == name || $2 == "*" name { print $1 }' "$sums")
  [ -n "$digest" ] || fail "Cannot install Nido $version: it has no binary for $system"

  mkdir -p "$dir" || fail "Cannot make the folder $dir"
  # On the file system of its place, so that it comes there whole and at once.
  candidate=$(mktemp "$dir/.nido.XXXXXX") || fail "Cannot write to $dir"
  say "Downloading $name"
  download "$from/download/v$version/$name" "$candidate"
  got=$(sha256_of "$candidate")
  if [ "$got" != "$digest" ]; then
    fail "Cannot install Nido $version: $name has the digest ${got:-(none)}, and $digest is published"
  fi
  chmod 755 "$candidate"
  said=$("$candidate" --version 2>&1) || said="it does not start here: $said"
  [ "$said" = "nido $version" ] || fail "Cannot install Nido $version: $said"
  mv -f "$candidate" "$dir/nido" || fail "Cannot write $dir/nido"
  candidate=
  say "Nido $version is in $dir/nido"
}

# download ADDRESS FILE
download() {
  if have curl; then
    curl --fail --location --silent --show-error --proto "$curl_protocols" --connect-timeout 20 \
      --retry 2 --output "$2" "$1" || fail "Cannot download $1"
  elif have wget; then
    wget -q -T 20 -O "$2" "$1" || fail "Cannot download $1"
  else
    fail "Cannot download Nido: there is neither curl nor wget"
  fi
}

sha256_of() {
  if have sha256sum; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif have shasum; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  elif have openssl; then
    openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
  fi
}

install_completions() {
  data=${XDG_DATA_HOME:-$HOME/.local/share}
  config=${XDG_CONFIG_HOME:-$HOME/.config}
  ! have bash || install_completion bash "$data/bash-completion/completions/nido"
  ! have zsh || install_completion zsh "$data/zsh/site-functions/_nido"
  ! have fish || install_completion fish "$config/fish/completions/nido.fish"
}

# install_completion SHELL FILE: Nido works without, so a failure is only told.
install_completion() {
  if mkdir -p "${2%/*}" && "$dir/nido" completion "$1" >"$scratch/completion"; then
    cp "$scratch/completion" "$2" && return 0
  fi
  say "The completions of $1 could not be written to $2"
}

add_to_path() {
  case :$PATH: in
    *":$dir:"*) return 0 ;;
  esac
  line="case \":\$PATH:\" in *\":$dir:\"*) ;; *) export PATH=\"$dir:\$PATH\" ;; esac"
  shell=${SHELL:-}
  shell=${shell##*/}
  added=
  if [ "$shell" = bash ] || [ -e "$HOME/.bashrc" ]; then
    add_block "$HOME/.bashrc" "$line"
  fi
  # A login shell reads the first of these that there is.
  if [ -e "$HOME/.bash_profile" ]; then
    add_block "$HOME/.bash_profile" "$line"
  elif [ "$shell" = bash ] || [ -e "$HOME/.profile" ]; then
    add_block "$HOME/.profile" "$line"
  fi
  zshrc=${ZDOTDIR:-$HOME}/.zshrc
  if [ "$shell" = zsh ] || [ -e "$zshrc" ]; then
    completion=$data/zsh/site-functions/_nido
    add_block "$zshrc" "$line" "! command -v compdef >/dev/null || . \"$completion\""
  fi
  if [ "$shell" = fish ] || [ -d "$config/fish" ]; then
    mkdir -p "$config/fish/conf.d"
    add_block "$config/fish/conf.d/nido.fish" "contains -- \"$dir\" \$PATH; or set -gx PATH \"$dir\" \$PATH"
  fi
  say "New shells will find it${added:+ (by$added)}; in this one: export PATH=\"$dir:\$PATH\""
}

# add_block FILE LINE...: once, between the marks by which nido uninstall knows it.
add_block() {
  block_file=$1
  shift
  if [ -e "$block_file" ] && grep -qxF "$BEGIN" "$block_file"; then
    return 0
  fi
  # The last line of what is there may have no end.
  if [ -s "$block_file" ] && [ -n "$(tail -c 1 "$block_file")" ]; then
    printf '\n' >>"$block_file"
  fi
  if printf '%s\n' "$BEGIN" "$@" "$END" >>"$block_file"; then
    added="$added $block_file"
  else
    say "$block_file can't be written; add $dir to PATH by hand"
  fi
}

# Nido knows the command; it is run only by somebody who is there and says yes.
offer_qemu() {
  [ -z "$unattended" ] || return 0
  [ -t 1 ] && [ -r /dev/tty ] || return 0
  command=$("$dir/nido" doctor | awk '/^blocked +qemu / { getline; sub(/^ +/, ""); print; exit }')
  case $command in
    "sudo "* | "apt-get "* | "dnf "* | "pacman "* | "zypper "* | "brew "*) ;;
    *) return 0 ;;
  esac
  printf 'Nido needs QEMU. Install it now with "%s"? [y/N] ' "$command"
  read -r answer </dev/tty || return 0
  case $answer in
    [yY]*)
      # shellcheck disable=SC2086 # a command and its words, as Nido gives them
      $command </dev/tty || say "QEMU was not installed"
      ;;
  esac
}

say() {
  printf '%s\n' "$*"
}

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

have() {
  command -v "$1" >/dev/null 2>&1
}

# Last, so that a script which breaks off on its way does nothing.
main "$@"
