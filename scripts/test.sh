#!/bin/sh
# Installs what the tests need and runs all of them: sh scripts/test.sh
# The last line is `N passed, N failed`, and the status is 0 only when nothing failed.
set -u

project=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/setup/say.sh
. "$project/scripts/setup/say.sh"
# shellcheck source=scripts/setup/packages.sh
. "$project/scripts/setup/packages.sh"
# shellcheck source=scripts/setup/deno.sh
. "$project/scripts/setup/deno.sh"
# shellcheck source=scripts/setup/guest_image.sh
. "$project/scripts/setup/guest_image.sh"
# shellcheck source=scripts/setup/checks.sh
. "$project/scripts/setup/checks.sh"

cd "$project" || exit 1

install_all() {
  ensure_deno
  keep_services_off
  install_needs qemu-system-x86_64 qemu-system-aarch64 qemu-img firmware-x86_64 firmware-aarch64 \
    ssh ssh-keygen sshd cloud-init python3 xorriso isoinfo gzip xz zstd mke2fs \
    curl unzip ps kill git bash zsh fish expect socat shellcheck
  allow_services
  for need in $(missing_of qemu-system-x86_64 qemu-img ssh sshd curl git shellcheck); do
    fail "Cannot run the tests without $need, and no package of this system is known to bring it"
  done
  quietly deno cache main.ts scripts/*.ts || fail "Cannot fetch the libraries that deno.json names"
}

# sshd and cloud-init are here as programs for tests. On Debian installing them would start the one
# now and let the other set up this host at its next start.
keep_services_off() {
  policy=/usr/sbin/policy-rc.d
  made_policy=
  have apt-get || return 0
  if ! is_present cloud-init; then
    as_root sh -c "mkdir -p /etc/cloud && touch /etc/cloud/cloud-init.disabled" ||
      fail "Cannot disable cloud-init on this host before installing it"
  fi
  is_present sshd && return 0
  as_root sh -c "mkdir -p /etc/systemd/system && ln -sf /dev/null /etc/systemd/system/ssh.service" ||
    fail "Cannot mask the ssh service on this host before installing it"
  if [ ! -e "$policy" ]; then
    as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy" ||
      fail "Cannot write $policy, which keeps new services from starting"
    made_policy=$policy
  fi
}

allow_services() {
  [ -z "$made_policy" ] || as_root rm -f "$made_policy"
}

# The gate of `deno task ok`, one check for each of its steps; its tests are counted one by one.
gate() {
  while read -r step; do
    # shellcheck disable=SC2086 # a step is a command with its arguments
    case $step in
      "deno task unit") tests "unit and surface tests" $step ;;
      *) check "$step" $step ;;
    esac
  done <"$scratch/gate"
}

gate_steps() {
  deno eval 'const { tasks } = JSON.parse(Deno.readTextFileSync("deno.json"));
    console.log(tasks.ok.split(" && ").join("\n"));' >"$scratch/gate"
}

end_to_end() {
  if ! find tests/e2e -name '*_test.ts' 2>/dev/null | grep -q .; then
    say "skipped end-to-end tests: tests/e2e holds none"
    return 0
  fi
  check "guest image" guest_image_is_made
  if [ ! -e "$scratch/image" ]; then
    say "skipped end-to-end tests: there is no guest image for them"
    return 0
  fi
  # The tests with whole guests spawn from one warm base, which the first of them makes in this folder.
  # A guest takes all of this machine; of the others, which mostly wait, several run at once.
  export NIDO_E2E_HOME="$scratch/e2e"
  tests "tests with guests" deno test --allow-all tests/e2e/guest
  tests "tests with machines, servers and clients" deno test --allow-all --parallel \
    tests/e2e/cli tests/e2e/machine tests/e2e/mcp tests/e2e/ssh
}

# Once more what starts Nido as a program, now as people get it: a binary where one can be compiled,
# else the bundle. Tests that work inside their own process would only see the sources again.
as_released() {
  release=$scratch/release
  deno task --quiet compile --output "$release" >"$scratch/compile" 2>&1 </dev/null
  case $? in
    0)
      NIDO_UNDER_TEST=$(find "$release" -name 'nido-*-linux-*' -o -name 'nido-*-macos-*')
      ;;
    69)
      say "skipped binaries: $(tail -n 1 "$scratch/compile"); the bundle is tested in their place"
      NIDO_UNDER_TEST=$(find "$release" -name 'nido-*.js')
      ;;
    *)
      check "compile" sh -c "cat '$scratch/compile'; exit 1"
      return 0
      ;;
  esac
  export NIDO_UNDER_TEST
  job=
  [ ! -e "$scratch/image" ] || job=tests/e2e/mcp/job_test.ts
  # shellcheck disable=SC2086 # one word or none
  tests "command line and MCP as released" deno test --allow-all --no-check --parallel \
    tests/surface tests/cli tests/config tests/mcp tests/e2e/cli/completion_test.ts \
    tests/e2e/mcp/stdio_test.ts tests/e2e/mcp/http_test.ts tests/e2e/mcp/host_jobs_test.ts \
    tests/e2e/mcp/inspector_test.ts tests/e2e/mcp/conformance_test.ts $job
  unset NIDO_UNDER_TEST
}

# What an interrupted run leaves: the machines that have a path of its scratch folder in their command
# line are its own.
end_machines() {
  [ -n "$scratch" ] && [ -d "$scratch/e2e/home" ] || return 0
  home=$(cd "$scratch/e2e/home" && pwd -P)
  for pid_file in "$home"/vms/*/qemu.pid "$home"/incubators/*/qemu.pid; do
    pid=$(cat "$pid_file" 2>/dev/null) || continue
    case $(ps -ww -o args= -p "$pid") in
      *qemu-system*"-pidfile $pid_file "*) kill -KILL "$pid" ;;
    esac
  done
}

# A subshell: `fail` ends it and not this run, which counts it. The tests ask for it again by
# themselves and find it in the cache.
guest_image_is_made() {
  (guest_image "$project" "the end-to-end tests need one") && touch "$scratch/image"
}

# What ends before its verdict, by a failed installation or a signal, has failed.
leave() {
  status=$?
  allow_services
  end_machines
  rm -rf "$scratch"
  [ -n "$is_judged" ] && exit "$status"
  failed=$((failed + 1))
  verdict
  exit 1
}

started_at=$(now)
is_judged=
made_policy=
scratch=
trap leave EXIT
trap 'exit 130' INT TERM HUP
scratch=$(mktemp -d "${TMPDIR:-/tmp}/nido-test.XXXXXX") || fail "Cannot make a temporary folder"
install_all
gate_steps || fail "Cannot read the gate's steps from deno.json"
say "Everything that the tests need is here ($(($(now) - started_at)) s)"
gate
check "the package, as it would be published" deno publish --dry-run --allow-dirty --quiet
check "shellcheck" shellcheck -x scripts/*.sh scripts/setup/*.sh scripts/ci/*.sh scripts/nido .ci/run
end_to_end
as_released
say "All of it took $(($(now) - started_at)) s"
is_judged=yes
verdict
