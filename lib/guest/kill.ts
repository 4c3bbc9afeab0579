import { quote } from "./shell_words.ts";

/**
 * A line for the guest's shell that ends a command and everything it started, and proves it: exit 0
 * when no process of it is left. TERM first, KILL after about a second, with root's rights where
 * `sudo` gives them freely. It needs `kill`, `sleep` and /proc only, so busybox does.
 */
export function killLine(pid: number, leaderEnded: boolean): string {
  const script = quote(killScript(pid, leaderEnded));
  return `if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then exec sudo -n sh -c ${script}; ` +
    `else exec sh -c ${script}; fi`;
}

// OpenSSH makes each command the leader of a session of its own (setsid in do_exec_no_pty), so that
// its process id names the whole family; the walk along parents is for servers that don't. A leader
// that ended is not looked for by its number, which may be another's by now.
function killScript(pid: number, leaderEnded: boolean): string {
  return `p=${pid}
known=" ${leaderEnded ? "" : `${pid} `}"
look() {
  more=1
  while [ -n "$more" ]; do
    more=; alive=
    for f in /proc/[0-9]*/stat; do
      line=; { while read -r part; do line="$line $part"; done < "$f"; } 2>/dev/null
      set -- \${line##*)}
      case "$1" in ''|Z|X) continue ;; esac
      q=\${f#/proc/}; q=\${q%/stat}
      case "$known" in
        *" $q "*) ;;
        *)
          if [ "$3" != "$p" ] && [ "$4" != "$p" ]; then
            case "$known" in *" $2 "*) ;; *) continue ;; esac
          fi
          known="$known$q "; more=1 ;;
      esac
      alive="$alive $q"
    done
  done
}
n=0
while [ $n -lt 40 ]; do
  look
  [ -z "$alive" ] && exit 0
  [ $n = 0 ] && kill -TERM $alive 2>/dev/null
  [ $n -ge 10 ] && kill -KILL $alive 2>/dev/null
  n=$((n + 1))
  sleep 0.1 2>/dev/null || sleep 1
done
exit 1`;
}
