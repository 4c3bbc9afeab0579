# shellcheck shell=sh
# Makes Nido's Debian 12 guest image where that is possible; a finished one comes from the cache.

# build_guest_image: sets $guest_image to the image's path.
build_guest_image() {
  have apt-get && [ "$(uname -m)" = x86_64 ] ||
    fail "Cannot make a guest image on $(uname -s) $(uname -m): it is made from Debian's packages on x86-64 Debian;" \
      "${1:-give the path of a Debian 12 cloud image in NIDO_IMAGE}"
  install_needs mmdebstrap qemu-img mke2fs debian-keyring
  [ "$(id -u)" = 0 ] || install_needs newuidmap
  if [ -z "${NIDO_DEBIAN_MIRROR:-}" ] && ! knows_debian; then
    quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get update || fail "Cannot fetch apt's package index"
    knows_debian || fail "Cannot make a guest image: apt has no Debian mirror here; name one in NIDO_DEBIAN_MIRROR"
  fi
  guest_image=$(deno run --allow-all --quiet "$project/scripts/guest_image.ts" \
    ${NIDO_DEBIAN_MIRROR:+--mirror "$NIDO_DEBIAN_MIRROR"}) ||
    fail "Cannot make the guest image"
}

# shellcheck disable=SC2016 # apt's own format
knows_debian() {
  apt-get indextargets --format '$(ORIGIN)' 'Created-By: Packages' 2>/dev/null | grep -qx Debian
}
