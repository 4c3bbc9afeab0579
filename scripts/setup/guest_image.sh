# shellcheck shell=sh
# Makes Nido's Debian 12 guest image where that is possible; a finished one comes from the cache.

# guest_image_needs HINT: brings what the image is made with; where none can be made, HINT says what to do.
guest_image_needs() {
  if ! have apt-get || [ "$(uname -m)" != x86_64 ]; then
    fail "Cannot make a guest image here: it is made from Debian's packages, on x86-64 Debian; $1"
  fi
  {
    install_needs mmdebstrap qemu-img mke2fs debian-keyring
    [ "$(id -u)" = 0 ] || install_needs newuidmap
    if [ -z "${NIDO_DEBIAN_MIRROR:-}" ] && ! knows_debian; then
      as_root env DEBIAN_FRONTEND=noninteractive apt-get update || fail "Cannot fetch apt's index"
      knows_debian ||
        fail "Cannot make a guest image: apt has no Debian mirror here; name one in NIDO_DEBIAN_MIRROR"
    fi
  } >&2
}

# guest_image PROJECT HINT: prints the image's path.
guest_image() {
  guest_image_needs "$2"
  deno run --allow-all --quiet "$1/scripts/guest_image.ts" \
    ${NIDO_DEBIAN_MIRROR:+--mirror "$NIDO_DEBIAN_MIRROR"} || fail "Cannot make the guest image"
}

# shellcheck disable=SC2016 # apt's own format
knows_debian() {
  apt-get indextargets --format '$(ORIGIN)' 'Created-By: Packages' 2>/dev/null | grep -qx Debian
}
