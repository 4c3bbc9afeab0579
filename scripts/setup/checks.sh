# shellcheck shell=sh
# Counts what passed and failed: named checks, and every test of the `deno test` runs.

passed=0
failed=0
export NO_COLOR=1

# check NAME COMMAND...: one check; what it prints is shown when it fails.
check() {
  check_name=$1
  shift
  check_log=$(mktemp "${TMPDIR:-/tmp}/nido-check.XXXXXX")
  check_since=$(now)
  if "$@" >"$check_log" 2>&1 </dev/null; then
    passed=$((passed + 1))
    say "ok      $check_name ($(($(now) - check_since)) s)"
  else
    failed=$((failed + 1))
    say "FAILED  $check_name ($(($(now) - check_since)) s)"
    cat "$check_log"
  fi
  rm -f "$check_log"
}

# tests NAME COMMAND...: a `deno test` run, each of its tests counted.
tests() {
  tests_name=$1
  shift
  tests_folder=$(mktemp -d "${TMPDIR:-/tmp}/nido-tests.XXXXXX")
  tests_since=$(now)
  tests_status=0
  "$@" --reporter=dot "--junit-path=$tests_folder/junit.xml" \
    >"$tests_folder/log" 2>&1 </dev/null || tests_status=$?
  count_tests "$tests_folder/log" "$tests_status"
  if [ "$tests_failed" = 0 ]; then tests_word=ok; else tests_word=FAILED; fi
  printf '%-7s %s: %s passed, %s failed, %s skipped (%s s)\n' "$tests_word" "$tests_name" \
    "$tests_passed" "$tests_failed" "$tests_skipped" "$(($(now) - tests_since))"
  # Without the dots, a line each here: what is shown of a long log is often its beginning or its end.
  [ "$tests_failed" = 0 ] || grep -vx '[.,!]' "$tests_folder/log"
  skipped_tests "$tests_folder/junit.xml"
  rm -rf "$tests_folder"
}

# Reads the last summary line of `deno test`; a run without one, or one that fails though no test
# did (a type error, a leak at the end), counts as one failure.
count_tests() {
  tests_summary=$(grep -E '^(ok|FAILED) \| [0-9]+ passed' "$1" | tail -n 1)
  tests_passed=$(number_before passed)
  tests_failed=$(number_before failed)
  tests_skipped=$(number_before ignored)
  if [ "$tests_failed" = 0 ] && { [ "$2" != 0 ] || [ -z "$tests_summary" ]; }; then
    tests_failed=1
  fi
  passed=$((passed + tests_passed))
  failed=$((failed + tests_failed))
}

number_before() {
  number_found=$(printf '%s\n' "$tests_summary" | sed -n "s/.*| \([0-9][0-9]*\) $1.*/\1/p")
  echo "${number_found:-0}"
}

# Names each test that was skipped; its name says what it needs.
skipped_tests() {
  [ -f "$1" ] || return 0
  awk '/<testcase / { name = $0; sub(/.*<testcase name="/, "", name); sub(/" classname=.*/, "", name) }
    /<skipped/ { print name }' "$1" |
    sed 's/&gt;/>/g; s/&lt;/</g; s/&quot;/"/g; s/&apos;/'"'"'/g; s/&amp;/\&/g; s/^/  skipped: /'
}

# verdict: the last line, made of the real counts; its status is the run's.
verdict() {
  say "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}
