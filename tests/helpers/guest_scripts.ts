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

/**
 * Starts a program as root that writes down the kind of every DHCP message that the guest sends or
 * gets: 3 asks for a lease again, 5 grants it (RFC 2132, option 53).
 */
export const HEAR_DHCP = `mkdir -p ~/state && sudo setsid python3 -c '
import socket, struct
heard = open("/run/dhcp", "w", 1)
wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
heard.write("hears\\n")
while True:
    packet = wire.recv(2048)
    header = (packet[0] & 15) * 4
    if len(packet) < header + 251 or packet[9] != 17:
        continue
    ports = struct.unpack("!HH", packet[header:header + 4])
    options = packet[header + 248:]
    if 67 in ports and options[0] == 53:
        heard.write("%d\\n" % options[2])
' >/dev/null 2>&1 </dev/null &
while ! grep -q hears /run/dhcp 2>/dev/null; do sleep 0.1; done`;

/** Prints what was heard, once a lease was granted or after a while. */
export const HEARD_DHCP = `for look in $(seq 100); do
  grep -qx 5 /run/dhcp && break
  sleep 0.3
done
cat /run/dhcp`;
