# shellcheck shell=sh
# How the scripts talk, run noisy programs quietly and get root's rights.

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

now() {
  date +%s
}

# quietly COMMAND...: shows what it prints only when it fails.
quietly() {
  quietly_log=$(mktemp "${TMPDIR:-/tmp}/nido.XXXXXX") || return 1
  if "$@" >"$quietly_log" 2>&1 </dev/null; then
    rm -f "$quietly_log"
    return 0
  fi
  tail -n 30 "$quietly_log" | sed 's/^/  /' >&2
  rm -f "$quietly_log"
  return 1
}

# root_prefix: what a command line starts with where it needs root.
root_prefix() {
  if [ "$(id -u)" = 0 ]; then
    return 0
  fi
  for root_program in sudo doas; do
    if have "$root_program"; then
      printf '%s ' "$root_program"
      return 0
    fi
  done
  return 1
}

# as_root COMMAND...: a password is asked for on the terminal, before output is put aside.
as_root() {
  root_words=$(root_prefix) || fail "Cannot run \"$*\" without root: run it as root, then this script again"
  case $root_words in
    sudo*) sudo -v || fail "Cannot become root: run \"$*\" as root, then this script again" ;;
  esac
  # shellcheck disable=SC2086 # one word or none
  quietly $root_words "$@"
}
