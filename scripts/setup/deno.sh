# shellcheck shell=sh
# Brings a Deno that is new enough: the one that is there, from npm, or a pinned archive.

DENO_VERSION=2.9.6

# The archive of each system in Deno's own release, with its SHA-256.
deno_archives() {
  cat <<'TABLE'
Linux-x86_64   deno-x86_64-unknown-linux-gnu.zip   394f07f4da2bebe6ce6f1e7ce0fa16429b29b08c35e3fac3fe25972676dff4b2
Linux-aarch64  deno-aarch64-unknown-linux-gnu.zip  9a46afc6c392c7cd2ff71a31558935545b46408d0e87f7a86908c712721c046e
Darwin-x86_64  deno-x86_64-apple-darwin.zip        7d4524b82bcc557fe020a1a5b56956ed42b992ae5b28026e8ad5d17329533f5f
Darwin-arm64   deno-aarch64-apple-darwin.zip       213a2f304f04d3c9cb5220669afad138f60a5aab1fe80962abdeb8f35807a472
TABLE
}

# Another place that holds the same archives may be named; what it serves must have the same hash.
DENO_ARCHIVES_AT=${DENO_ARCHIVES_AT:-https://github.com/denoland/deno/releases/download/v$DENO_VERSION}

# ensure_deno: puts a good Deno on PATH, or fails with what to do.
ensure_deno() {
  deno_is_good && return 0
  PATH=$HOME/.local/bin:$PATH
  deno_is_good && return 0
  say "Installing Deno $DENO_VERSION"
  if deno_from_npm || deno_from_archive || deno_from_package; then
    deno_is_good && return 0
  fi
  fail "Cannot install Deno $DENO_VERSION${deno_problem:+: $deno_problem};" \
    "install it by hand (https://docs.deno.com/runtime/getting_started/installation/)," \
    "then run this script again"
}

# deno_is_good: there is a Deno that runs, and it is $DENO_VERSION's minor version or newer.
deno_is_good() {
  deno_found=$(deno --version 2>/dev/null | sed -n '1s/^deno \([0-9]*\.[0-9]*\).*/\1/p')
  [ -n "$deno_found" ] || return 1
  deno_wanted=${DENO_VERSION%.*}
  [ "${deno_found%.*}" -gt "${deno_wanted%.*}" ] ||
    { [ "${deno_found%.*}" -eq "${deno_wanted%.*}" ] && [ "${deno_found#*.}" -ge "${deno_wanted#*.}" ]; }
}

deno_from_npm() {
  have npm && have node || return 1
  deno_prefix=$(npm prefix -g 2>/dev/null) || return 1
  if [ "$(id -u)" != 0 ] && [ ! -w "$deno_prefix/lib" ]; then
    deno_prefix=$HOME/.local
  fi
  quietly npm install -g --prefix "$deno_prefix" "deno@$DENO_VERSION" || return 1
  PATH=$deno_prefix/bin:$PATH
  deno --version >/dev/null 2>&1
}

deno_from_archive() {
  deno_system=$(uname -s)-$(uname -m)
  deno_line=$(deno_archives | awk -v host="$deno_system" '$1 == host { print $2, $3 }')
  if [ -z "$deno_line" ] || [ -e /etc/alpine-release ]; then
    deno_problem="there is no pinned archive for $deno_system"
    return 1
  fi
  { have curl || have wget; } || install_needs curl ca-certificates
  { have unzip || have bsdtar || have python3; } || install_needs unzip
  deno_folder=$(mktemp -d "${TMPDIR:-/tmp}/nido-deno.XXXXXX") || return 1
  deno_unpacked "${deno_line% *}" "${deno_line#* }" "$deno_folder"
  deno_result=$?
  rm -rf "$deno_folder"
  return "$deno_result"
}

# deno_unpacked ARCHIVE SHA256 FOLDER: nothing of an archive runs before its hash is proven.
deno_unpacked() {
  if ! quietly download "$DENO_ARCHIVES_AT/$1" "$3/$1"; then
    deno_problem="$1 cannot be downloaded"
    return 1
  fi
  deno_digest=$(sha256_of "$3/$1")
  if [ "$deno_digest" != "$2" ]; then
    deno_problem="$1 has the SHA-256 ${deno_digest:-(none)}, not $2"
    return 1
  fi
  if ! quietly unpack "$3/$1" "$3/unpacked"; then
    deno_problem="$1 cannot be unpacked"
    return 1
  fi
  deno_bin=$HOME/.local/bin
  [ "$(id -u)" != 0 ] || deno_bin=/usr/local/bin
  mkdir -p "$deno_bin" && chmod 755 "$3/unpacked/deno" &&
    mv -f "$3/unpacked/deno" "$deno_bin/deno" || return 1
  PATH=$deno_bin:$PATH
}

# Where neither serves (musl's Alpine among them) the system may have a package.
deno_from_package() {
  have brew || have apk || have pacman || return 1
  install_needs deno
}

download() {
  if have curl; then
    curl --fail --location --silent --show-error --connect-timeout 20 --output "$2" "$1"
  else
    wget -q -T 20 -O "$2" "$1"
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

unpack() {
  mkdir -p "$2"
  if have unzip; then
    unzip -q -o "$1" -d "$2"
  elif have bsdtar; then
    bsdtar -x -f "$1" -C "$2"
  else
    python3 -m zipfile -e "$1" "$2"
  fi
}
