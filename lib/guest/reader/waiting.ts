/** Python: waiting for the host's lines at the port, and answering them. */
export const waiting = String.raw`
PORT = "/dev/virtio-ports/org.nido.hatch.0"
WAITING = "/run/nido/waiting"
LONGEST_LINE = 4 << 20
START_OF_LINE = b"\x1e"
LOOK_AGAIN_SECONDS = 2


def answer_to(line, kept=None):
    try:
        request = json.loads(line)
    except ValueError as error:
        return {"error": "the line is not JSON: %s" % error}, []
    if not isinstance(request, dict):
        return {"error": "the line is not a JSON object"}, []
    renewal = Renewal(request, kept)
    try:
        return renewal.answer(), renewal.later
    except Exception as error:
        return {"error": "%s: %s" % (type(error).__name__, error)}, renewal.later


class Lines:
    """Cuts what comes into lines. A host marks where its line starts, so that what another one has
    begun and not ended is dropped."""

    def __init__(self):
        self.begun = b""
        self.too_long = False

    def take(self, piece):
        """The lines that are whole now; None stands for one that was too long."""
        *ended, self.begun = (self.begun + piece).split(b"\n")
        found = []
        for line in ended:
            start = line.rfind(START_OF_LINE) + 1
            if line:
                found.append(None if self.too_long and not start else line[start:])
            self.too_long = False
        if START_OF_LINE in self.begun:
            self.begun = self.begun[self.begun.rfind(START_OF_LINE):]
        elif len(self.begun) > LONGEST_LINE:
            self.begun = b"-"
            self.too_long = True
        return found


def serve(source, sink):
    """Answers each line of the host. The port never blocks: the kernel's SIGIO tells of every change,
    and with nobody on the other side a read gives nothing at once."""
    lines, later = Lines(), []
    while True:
        try:
            piece = os.read(source, 1 << 16)
        except BlockingIOError:
            piece = b""
        for line in lines.take(piece):
            told, more = answer_to(line) if line else (
                {"error": "the line is longer than %d bytes" % LONGEST_LINE}, [])
            say(sink, told)
            later += more
        if not piece:
            later = start_due(later)
            signal.sigtimedwait([signal.SIGIO], LOOK_AGAIN_SECONDS)


def say(sink, told):
    """Writes an answer; one that nobody is there to hear is dropped."""
    left = json.dumps(told).encode() + b"\n"
    for _ in range(100):
        try:
            left = left[os.write(sink, left):]
        except BlockingIOError:
            time.sleep(0.01)
        except BrokenPipeError:
            return
        if not left:
            return


def start_due(later):
    """Starts what may run by now, and takes leave of what has ended; gives the rest."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    now = time.monotonic()
    for _, words, how in (task for task in later if task[0] <= now):
        try:
            spawn(words, **how)
        except OSError as error:
            print("Cannot start %s: %s" % (words[0], error), file=sys.stderr, flush=True)
    return [task for task in later if task[0] > now]


def wait_at_port(name):
    global KEEPS_HOST_KEYS
    KEEPS_HOST_KEYS = keeps_host_keys()
    try:  # so that the kernel's module for it is there when it is needed
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as diag:
            open_connections(diag, socket.AF_INET)
    except OSError:
        pass  # told when somebody asks to cut connections
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
    port = os.open(PORT, os.O_RDWR | os.O_NONBLOCK)
    fcntl.fcntl(port, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(port, fcntl.F_SETFL, fcntl.fcntl(port, fcntl.F_GETFL) | os.O_ASYNC)
    gc.collect()
    gc.freeze()
    write(WAITING, "%d %s\n" % (os.getpid(), name), 0o600)
    serve(port, port)


def renew_once(connection):
    """One renewal on standard input and output, sparing the SSH connection that it came by."""
    global KEEPS_HOST_KEYS
    KEEPS_HOST_KEYS = keeps_host_keys()
    client = connection.split()
    print('{"ready": true}', flush=True)
    line = sys.stdin.buffer.readline(LONGEST_LINE)
    told, later = answer_to(line, (client[0], int(client[1])) if client else None)
    if later and os.fork() == 0:
        nothing = os.open("/dev/null", os.O_RDWR)
        for standard in 0, 1, 2:
            os.dup2(nothing, standard)
        os.setsid()
        while later:
            later = start_due(later)
            time.sleep(0.1)
        os._exit(0)
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "wait":
        wait_at_port(sys.argv[2])
    else:
        renew_once(sys.argv[2])
`.trimStart();
