import { SLICE } from "../script.ts";

/** How many ended jobs a guest keeps. */
export const KEPT_JOBS = 10;

// Of each stream of a job a guest keeps the first and the last MiB, or up to twice as much of each.
const SEGMENT_BYTES = 1_048_576;

/** Where a guest's jobs are: a folder for each, named by its id. */
const JOBS = `jobs="$HOME/.nido/jobs"`;

// Numbers of processes are used again, also after a restart: a job lives when the process of its
// number began at the tick, in the boot, that its supervisor wrote down.
const LIVES = `
read -r booted </proc/sys/kernel/random/boot_id
lives() {
  { read -r pid began boot started <"$1/pid"; } 2>/dev/null || return 1
  [ "$boot" = "$booted" ] || return 1
  { read -r facts <"/proc/$pid/stat"; } 2>/dev/null || return 1
  set -- \${facts##*) }
  [ "$1" != Z ] && [ "$1" != X ] && [ "\${20}" = "$began" ]
}`;

// A stream's file is cut into segments; each is named by the offset of its first byte.
const TOTAL = `
bytes() { { wc -c <"$1"; } 2>/dev/null || echo 0; }
total() {
  last=0
  for file in "$1".[0-9]*; do
    from=\${file##*.}
    [ -e "$file" ] && [ "$from" -gt "$last" ] && last=$from
  done
  echo $((last + $(bytes "$1.$last")))
}`;

/**
 * Becomes the first process of a job, in a session of its own, so that its number names the whole
 * family. It outlives the connection; it ends when the command did and nobody holds its streams.
 */
export const SUPERVISE = `
trap : TERM HUP INT
read -r facts </proc/$$/stat
read -r boot </proc/sys/kernel/random/boot_id
id=$1
set -- \${facts##*) }
printf '%s %s %s %s\\n' $$ "\${20}" "$boot" "$(date +%s)" >pid && mv "../.new-$id" "../$id" || exit 1
echo begun
exec </dev/null >/dev/null 2>&1
keep() {
  from=0; size=0; before=
  while :; do
    dd bs=16384 count=64 >>"$1.$from"; code=$?
    now=$(($(wc -c <"$1.$from")))
    [ $now -eq $size ] && break
    size=$now
    if [ $size -ge ${SEGMENT_BYTES} ]; then
      [ -n "$before" ] && [ "$before" != 0 ] && rm -f "$1.$before"
      before=$from; from=$((from + size)); size=0
    fi
  done
  [ $code -eq 0 ] || : >"$1.full"
  cat
  : >"$1.end"
}
(trap '' TERM HUP INT; keep stdout <out) &
(trap '' TERM HUP INT; keep stderr <err) &
sh ./line <stdin >out 2>err
code=$?
tries=0
while [ $tries -lt 20 ] && ! { [ -e stdout.end ] && [ -e stderr.end ]; }; do
  sleep 0.1 || sleep 1
  tries=$((tries + 1))
done
printf '%s %s\\n' $code "$(date +%s)" 1<>exit.new
mv exit.new exit
wait
rm -f out err`;

/**
 * Starts a job. Words: its id, its shell line, what is told of it, the bytes that stdin brings, and
 * its supervisor. `setsid` leaves the leader of a group by itself: `&` makes a job deaf to SIGINT.
 */
export const START = `
umask 077
${JOBS}
mkdir -p "$jobs" && cd "$jobs" || exit 1
${LIVES}
find . -name '.new-*' -prune -mtime +0 -exec rm -rf {} +
ended=0
for old in $(ls -1t); do
  case $old in *[!0-9a-f]*) continue ;; esac
  lives "$old" && continue
  ended=$((ended + 1))
  [ $ended -le ${KEPT_JOBS} ] || rm -rf "./$old"
done
undo() {
  [ "$(df -Pk . | awk 'NR == 2 { print $4 }')" != 0 ] || echo "No space left on device" >&2
  cd "$jobs" && rm -rf ".new-$1"
  exit 1
}
mkdir ".new-$1" && cd ".new-$1" || exit 1
cat >stdin && printf '%s\\n' "$2" >line && printf '%s\\n' "$3" >about &&
  printf '%s\\n' "$5" >watch &&
  printf '%64s\\n' '' >exit.new && mkfifo out err || undo "$1"
[ $(($(wc -c <stdin))) -eq $4 ] || { echo "its standard input was cut off" >&2; undo "$1"; }
command -v setsid >/dev/null 2>&1 && exec setsid sh ./watch "$1"
sh ./watch "$1" &`;

const LOOK = `
look() {
  for id in $*; do
    [ -e "$id/pid" ] || continue
    lives "$id" && alive=1 || alive=0
    ( cd "$id" || exit
      code=- ended=-
      [ -e exit ] && read -r code ended <exit
      [ -e killed ] && killed=1 || killed=0
      echo "$id $alive $killed $code $ended $started $pid $(total stdout) $(total stderr)"
      head -n 1 about )
  done
}`;

const INSIDE = `${JOBS}
cd "$jobs" 2>/dev/null || exit 0
${LIVES}${TOTAL}${LOOK}`;

/** Tells of jobs. Words: their ids; none: all. */
export const TELL = `${INSIDE}
[ $# -gt 0 ] || set -- *
look "$@"`;

/** Waits until a job has ended, then tells of it. Words: its id, the most seconds. */
export const WAIT = `${INSIDE}
read -r up _ </proc/uptime
until=$((\${up%.*} + $2)); pace=0.1
while [ ! -e "$1/exit" ] && lives "$1"; do
  read -r up _ </proc/uptime
  [ \${up%.*} -lt $until ] || break
  sleep $pace 2>/dev/null || sleep 1
  [ $((\${up%.*} + $2 - until)) -lt 2 ] || pace=0.5
done
look "$1"`;

/**
 * Gives a part of each stream of a job, on that stream, behind a line of facts. Words: its id, and
 * the offset (from the end, if negative) and length of both.
 */
export const GIVE = `${INSIDE}
cd "$1" 2>/dev/null || exit 3
${SLICE}
holds() {
  for file in "$1".[0-9]*; do
    from=\${file##*.}; size=$(bytes "$file")
    [ $at -ge $from ] && [ $at -lt $((from + size)) ] && return 0
  done
  return 1
}
give() {
  [ -e "$1.end" ] && ended=1 || ended=0
  [ -e "$1.full" ] && full=1 || full=0
  total=$(total "$1"); at=$2
  [ $at -ge 0 ] || at=$((total + at))
  [ $at -ge 0 ] || at=0
  asked=$at
  if [ $at -lt $total ] && ! holds "$1"; then
    at=$total
    for file in "$1".[0-9]*; do
      from=\${file##*.}
      [ $from -gt $asked ] && [ $from -lt $at ] && at=$from
    done
  fi
  echo "$total $asked $at $ended $full"
  end=$((at + $3))
  [ $end -le $total ] || end=$total
  while [ $at -lt $end ] && holds "$1"; do
    many=$((from + size - at))
    [ $many -le $((end - at)) ] || many=$((end - at))
    slice "$file" $((at - from)) $many
    at=$((at + many))
  done
}
give stdout "$2" "$3"
give stderr "$4" "$5" >&2`;

/** Begins the end of a job whose supervisor has this number; 4 when it has ended already. */
export const CONDEMN = `${INSIDE}
lives "$1" && [ "$pid" = "$2" ] || exit 4
[ -e "$1/exit" ] || : >"$1/killed"
`;
