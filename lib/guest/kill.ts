import { quote } from "./shell_words.ts";

/**
 * A line for the guest's shell that ends a command and everything it started, and proves it: exit 0
 * when no process of it is left. TERM first, KILL a second later; with root's rights where those of
 * the user don't do and `sudo` gives them freely. It needs only what busybox has, and /proc.
 */
export function killLine(pid: number, leaderEnded: boolean): string {
  const script = quote(killScript(pid, leaderEnded));
  return `sh -c ${script} || exec sudo -n sh -c ${script}`;
}

// OpenSSH makes each command the leader of a session of its own (setsid in do_exec_no_pty), so that
// its process id names the whole family; the walk along parents is for servers that don't. A leader
// that ended is not looked for by its number, which may be another's by now.
function killScript(pid: number, leaderEnded: boolean): string {
  return `known="${leaderEnded ? "" : pid}"
look() {
  cat /proc/[0-9]*/stat 2>/dev/null | awk -v known="$known" '${
    FAMILY.replaceAll("PID", String(pid))
  }'
}
n=0; denied=0
while [ $n -lt 20 ]; do
  alive=$(look)
  [ -z "$alive" ] && exit 0
  known="$known $alive"
  case $n in
    0) kill -TERM $alive 2>/dev/null || { denied=1; n=3; } ;;
    1|2|3) ;;
    *) kill -KILL $alive 2>/dev/null || denied=$((denied + 1)) ;;
  esac
  [ $denied -ge 2 ] && exit 1
  n=$((n + 1))
  sleep 0.25 2>/dev/null || sleep 1
done
exit 1`;
}

// A process may have spaces, parentheses and line breaks in its name: its facts follow the last ")".
const FAMILY = `
{ line = line " " $0 }
/\\) [A-Za-z]( -?[0-9]+)+ *$/ {
  facts = line; sub(/.*\\) /, "", facts); split(facts, f, " ")
  split(line, w, " "); line = ""
  if (f[1] == "Z" || f[1] == "X") next
  parent[w[1]] = f[2]
  if (f[3] == PID || f[4] == PID) ours[w[1]] = 1
}
END {
  count = split(known, k, " ")
  for (i = 1; i <= count; i++) if (k[i] in parent) ours[k[i]] = 1
  do {
    more = 0
    for (q in parent) if (!(q in ours) && (parent[q] in ours)) { ours[q] = 1; more = 1 }
  } while (more)
  for (q in ours) printf "%s ", q
}`;
