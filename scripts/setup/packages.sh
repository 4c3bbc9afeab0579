# shellcheck shell=sh
# Installs the packages of missing programs and files with the system's package manager.

# A program or file, and its package for each manager; `-` where it has none or none is needed.
packages_table() {
  cat <<'TABLE'
need                 apt-get          dnf                 pacman              zypper             apk                 brew
qemu-system-x86_64   qemu-system-x86  qemu-system-x86     qemu-system-x86     qemu-x86           qemu-system-x86_64  qemu
qemu-system-aarch64  qemu-system-arm  qemu-system-aarch64 qemu-system-aarch64 qemu-arm           qemu-system-aarch64 qemu
qemu-img             qemu-utils       qemu-img            qemu-img            qemu-tools         qemu-img            qemu
firmware-x86_64      ovmf             edk2-ovmf           edk2-ovmf           qemu-ovmf-x86_64   ovmf                qemu
firmware-aarch64     qemu-efi-aarch64 edk2-aarch64        edk2-aarch64        qemu-uefi-aarch64  aavmf               qemu
ssh                  openssh-client   openssh-clients     openssh             openssh-clients    openssh-client      openssh
ps                   procps           procps-ng           procps-ng           procps             procps              -
kill                 procps           util-linux          util-linux          util-linux         procps              -
curl                 curl             curl                curl                curl               curl                curl
ca-certificates      ca-certificates  ca-certificates     ca-certificates     ca-certificates    ca-certificates     -
unzip                unzip            unzip               unzip               unzip              unzip               unzip
deno                 -                -                   deno                -                  deno                deno
git                  git              git                 git                 git                git                 git
gzip                 gzip             gzip                gzip                gzip               gzip                -
xz                   xz-utils         xz                  xz                  xz                 xz                  xz
zstd                 zstd             zstd                zstd                zstd               zstd                zstd
mke2fs               e2fsprogs        e2fsprogs           e2fsprogs           e2fsprogs          e2fsprogs           -
xorriso              xorriso          xorriso             libisoburn          xorriso            xorriso             xorriso
isoinfo              genisoimage      genisoimage         cdrtools            mkisofs            cdrkit              cdrtools
shellcheck           shellcheck       ShellCheck          shellcheck          ShellCheck         shellcheck          shellcheck
zsh                  zsh              zsh                 zsh                 zsh                zsh                 zsh
fish                 fish             fish                fish                fish               fish                fish
expect               expect           expect              expect              expect             expect              expect
socat                socat            socat               socat               socat              socat               socat
python3              python3          python3             python              python3            python3             python3
sshd                 openssh-server   openssh-server      openssh             openssh-server     openssh-server      -
cloud-init           cloud-init       cloud-init          cloud-init          cloud-init         cloud-init          -
mmdebstrap           mmdebstrap       -                   -                   -                  -                   -
debian-keyring       debian-archive-keyring - - - - -
newuidmap            uidmap           -                   -                   -                  -                   -
TABLE
}

# What stands for a need that is no program.
packages_files() {
  case $1 in
    firmware-x86_64) echo /usr/share/OVMF/OVMF_CODE*.fd /usr/share/edk2/ovmf/OVMF_CODE*.fd \
      /usr/share/edk2/x64/OVMF_CODE*.fd /usr/share/qemu/ovmf-x86_64-code.bin \
      /usr/share/qemu/edk2-x86_64-code.fd /opt/homebrew/share/qemu/edk2-x86_64-code.fd \
      /usr/local/share/qemu/edk2-x86_64-code.fd ;;
    firmware-aarch64) echo /usr/share/AAVMF/AAVMF_CODE*.fd /usr/share/edk2/aarch64/QEMU_EFI*.fd \
      /usr/share/qemu-efi-aarch64/QEMU_EFI.fd /usr/share/qemu/aavmf-aarch64-code.bin \
      /usr/share/qemu/edk2-aarch64-code.fd /opt/homebrew/share/qemu/edk2-aarch64-code.fd \
      /usr/local/share/qemu/edk2-aarch64-code.fd ;;
    ca-certificates) echo /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem \
      /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem ;;
    debian-keyring) echo /usr/share/keyrings/debian-archive-keyring.gpg ;;
    mke2fs | sshd) echo "/usr/sbin/$1" "/sbin/$1" ;;
  esac
}

is_present() {
  case $1 in
    firmware-* | ca-certificates | debian-keyring) ;;
    *) have "$1" && return 0 ;;
  esac
  for present_file in $(packages_files "$1"); do
    [ ! -e "$present_file" ] || return 0
  done
  return 1
}

package_manager() {
  for manager_program in apt-get dnf pacman zypper apk brew; do
    if have "$manager_program"; then
      echo "$manager_program"
      return 0
    fi
  done
  return 1
}

# package_of MANAGER NEED
package_of() {
  packages_table | awk -v manager="$1" -v need="$2" '
    NR == 1 { for (i = 2; i <= NF; i++) if ($i == manager) column = i }
    $1 == need && column && $column != "-" { print $column }'
}

install_command() {
  case $1 in
    apt-get) echo "apt-get install -y --no-install-recommends" ;;
    dnf) echo "dnf install -y --setopt=install_weak_deps=False" ;;
    pacman) echo "pacman -S --needed --noconfirm" ;;
    zypper) echo "zypper --non-interactive install --no-recommends" ;;
    apk) echo "apk add" ;;
    brew) echo "brew install" ;;
  esac
}

# missing_of NEED...: those that this machine lacks.
missing_of() {
  for missing_need in "$@"; do
    is_present "$missing_need" || printf '%s\n' "$missing_need"
  done
}

# install_needs NEED...: brings what is missing; what has no package here stays missing.
install_needs() {
  install_missing=$(missing_of "$@")
  [ -n "$install_missing" ] || return 0
  install_manager=$(package_manager) ||
    fail "Cannot install $(one_line "$install_missing"): no package manager known here;" \
      "install it by hand (Windows: winget install --exact --id SoftwareFreedomConservancy.QEMU)"
  install_packages=$(for need in $install_missing; do package_of "$install_manager" "$need"; done | sort -u)
  [ -n "$install_packages" ] || return 0
  install_words=$(install_command "$install_manager")
  if [ "$install_manager" != brew ] && ! root_prefix >/dev/null; then
    fail "Cannot install $(one_line "$install_packages") without root, and there is no sudo;" \
      "run as root: $install_words $(one_line "$install_packages")"
  fi
  say "Installing $(one_line "$install_packages")"
  # shellcheck disable=SC2086 # package names and options are words
  case $install_manager in
    apt-get) apt_install $install_packages ;;
    brew) quietly $install_words $install_packages ;;
    *) as_root $install_words $install_packages ;;
  esac || fail "Cannot install $(one_line "$install_packages"): \"$install_words\" failed"
}

# apt's index is fetched only when it doesn't hold what is missing, or is too old to serve it.
apt_install() {
  apt_set="env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300"
  # shellcheck disable=SC2086
  if apt-cache show "$@" >/dev/null 2>&1 &&
    as_root $apt_set install -y --no-install-recommends "$@" 2>/dev/null; then
    return 0
  fi
  # shellcheck disable=SC2086
  as_root $apt_set update && as_root $apt_set install -y --no-install-recommends "$@"
}

one_line() {
  # shellcheck disable=SC2086
  echo $1
}
