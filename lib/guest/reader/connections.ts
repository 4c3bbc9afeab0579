/** Python: ending the TCP connections that were open in the frozen guest. */
export const connections = String.raw`
# <linux/sock_diag.h>, <linux/inet_diag.h>, <linux/netlink.h>; the states of <net/tcp_states.h>.
NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY, SOCK_DESTROY = 20, 21
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
ESTABLISHED, SYN_SENT, CLOSE_WAIT = 1, 2, 8
STATES = 1 << ESTABLISHED | 1 << SYN_SENT | 1 << CLOSE_WAIT
ENOENT, EINVAL, EOPNOTSUPP = 2, 22, 95


def cut_connections(kept=None):
    """Ends each connection whose peer is outside; kept is the address and port of one peer to spare."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as diag:
        for family in socket.AF_INET, socket.AF_INET6:
            for identity in open_connections(diag, family):
                if peer_of(family, identity) != kept:
                    destroy(diag, family, identity)


def open_connections(diag, family):
    """Those to the outside, each as the kernel's struct inet_diag_sockid."""
    found = []
    ask(diag, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, family, bytes(48))
    while True:
        for kind, body in messages(diag.recv(1 << 20)):
            if kind == NLMSG_DONE:
                return found
            if kind == NLMSG_ERROR:
                raise OSError(-struct.unpack_from("i", body)[0], "the kernel lists no connections")
            if not is_loopback(family, body[4:52]):
                found.append(body[4:52])


def destroy(diag, family, identity):
    ask(diag, SOCK_DESTROY, NLM_F_ACK, family, identity)
    for kind, body in messages(diag.recv(1 << 16)):
        error = -struct.unpack_from("i", body)[0] if kind == NLMSG_ERROR else 0
        if error in (EOPNOTSUPP, EINVAL):
            raise OSError(error, "this kernel can't (CONFIG_INET_DIAG_DESTROY)")
        if error not in (0, ENOENT):
            raise OSError(error, os.strerror(error))


def ask(diag, kind, flags, family, identity):
    body = struct.pack("BBxxI", family, socket.IPPROTO_TCP, STATES) + identity
    diag.send(struct.pack("IHHII", 16 + len(body), kind, NLM_F_REQUEST | flags, 0, 0) + body)


def messages(data):
    while len(data) >= 16:
        size, kind = struct.unpack_from("IH", data)
        yield kind, data[16:size]
        data = data[size + 3 & ~3:]


def peer_of(family, identity):
    size = 4 if family == socket.AF_INET else 16
    address = socket.inet_ntop(family, identity[20:20 + size])
    port = struct.unpack_from("!H", identity, 2)[0]
    return (address[7:] if address.startswith("::ffff:") else address), port


def is_loopback(family, identity):
    address = peer_of(family, identity)[0]
    return address.startswith("127.") or address == "::1"
`.trimStart();
