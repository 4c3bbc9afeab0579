/** Python: stopping what would write again after it was cleaned. */
export const quieting = String.raw`
def ancestors():
    found, process = set(), os.getpid()
    while process > 0 and process not in found:
        found.add(process)
        process = int(stat_fields(process)[1])
    return found


def stat_fields(process):
    """The fields of /proc/PID/stat behind the name: state, parent, group, session, terminal."""
    with open("/proc/%d/stat" % process, encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def end_terminals():
    """A shell that is told to end writes its history down; these are not told."""
    ours = ancestors()
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) in ours:
            continue
        try:
            if stat_fields(int(name))[4] != "0":
                os.kill(int(name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            pass


def quiet():
    attempt("end what runs at terminals", end_terminals)
    # Stopped now, it does not write the seed at the shutdown.
    run("systemctl", "stop", "systemd-random-seed.service")
    # The journal's files are let go, or their blocks would be freed only at the shutdown.
    run("journalctl", "--relinquish-var")
`.trimStart();
