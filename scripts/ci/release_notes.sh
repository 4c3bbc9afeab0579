#!/bin/sh
# Prints what CHANGELOG.md tells of a version: sh scripts/ci/release_notes.sh TAG
# Fails where the tag is not that of deno.json's version, or the changelog doesn't tell of it yet.
set -eu

tag=${1:?say which tag is released, such as v0.1.0}
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/setup/say.sh
. scripts/setup/say.sh

version=$(sed -n 's/^  "version": "\([^"]*\)",$/\1/p' deno.json)
[ "$tag" = "v$version" ] || fail "Cannot release $tag: deno.json says that this is $version"
notes=$(awk -v heading="## [$version] - " '
  index($0, "## ") == 1 || index($0, "[") == 1 && /^\[[^]]*\]: / { told = 0 }
  told { print }
  index($0, heading) == 1 && /[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]$/ { told = 1 }
' CHANGELOG.md)
[ -n "$notes" ] || fail "Cannot release $tag: CHANGELOG.md has no \"## [$version] - YYYY-MM-DD\""
say "$notes"
