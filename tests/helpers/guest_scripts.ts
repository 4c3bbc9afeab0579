/** Starts a program in a guest that writes its pid and counts, five times a second. */
export const START_COUNTING = `mkdir -p ~/state && setsid sh -c '
  count=0
  while :; do
    count=$((count + 1))
    echo "$$ $count" >~/state/new && mv ~/state/new ~/state/count
    sleep 0.2
  done' >/dev/null 2>&1 </dev/null &
while ! [ -e ~/state/count ]; do sleep 0.1; done`;

/** Prints the counter's pid and its count. */
export const COUNT = "cat ~/state/count";

/** Starts a program that connects to a port of the host and writes down how that ends. */
export function startConnection(port: number): string {
  return `mkdir -p ~/state && setsid python3 -c '
import os, socket
say = lambda text: (open("said", "w").write(text + "\\n"), os.replace("said", "connection"))
os.chdir(os.path.expanduser("~/state"))
outside = socket.create_connection(("10.0.2.2", ${port}))
say("open")
try:
    said = outside.recv(1)
    say("heard %r" % said)
except OSError as error:
    say("failed: " + type(error).__name__)
' >/dev/null 2>~/state/log </dev/null &
while ! [ -e ~/state/connection ]; do sleep 0.1; done`;
}

/** Prints what the connection's program has written; waits a little while it is still open. */
export const CONNECTION_ENDED = `for look in $(seq 50); do
  grep -q open ~/state/connection || break
  sleep 0.1
done
cat ~/state/connection`;

/** What no two machines may share, a line each. */
export const WHO_IT_IS = `hostname
cat /etc/machine-id
cat /etc/ssh/ssh_host_*_key.pub
cat /var/lib/cloud/data/instance-id
head -c 16 /dev/urandom | od -An -tx1
cat /proc/sys/kernel/random/uuid`;
