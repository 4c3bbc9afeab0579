/** Python: who a guest is. */
export const identity = String.raw`
SSH = "/etc/ssh"
HOST_KEY = "ssh_host_ed25519_key"
CLOUD = "/var/lib/cloud"
CLOUD_RUN = "/run/cloud-init"

# Compiled before the guest is frozen: an emulated one takes 10 ms for each.
ANY_HOST_KEY = re.compile(r"ssh_host_.*_key")
OWN_ADDRESS = re.compile(r"127\.0\.[01]\.1\s")
NAME_IN_HOSTS = re.compile(r"(?<=[ \t])[^\s.]+")


def change_host_key(key):
    write("%s/%s" % (SSH, HOST_KEY), key["private"].strip() + "\n", 0o600)
    write("%s/%s.pub" % (SSH, HOST_KEY), key["public"].strip() + "\n")
    for name in os.listdir(ROOT + SSH):
        if ANY_HOST_KEY.match(name) and name not in (HOST_KEY, HOST_KEY + ".pub"):
            remove("%s/%s" % (SSH, name))
    if KEEPS_HOST_KEYS:
        os.kill(ssh_listener(), signal.SIGHUP)


def keeps_host_keys():
    """OpenSSH before 9.8 reads its host keys again for each connection."""
    try:
        version = re.search(r"OpenSSH_(\d+)\.(\d+)", run("ssh", "-V")[1])
    except OSError:
        version = None
    return version is None or (int(version[1]), int(version[2])) >= (9, 8)


KEEPS_HOST_KEYS = False


def ssh_listener():
    """The main process of sshd, by the title that it has since OpenSSH 8.2."""
    for name in os.listdir("/proc"):
        try:
            title = read("/proc/%s/cmdline" % name) if name.isdigit() else ""
        except OSError:
            continue
        if title.startswith("sshd: ") and " [listener] " in title:
            return int(name)
    raise LookupError("no SSH server listens that could be told")


def change_hostname(new):
    old = read("/etc/hostname").strip() if os.path.exists(ROOT + "/etc/hostname") else ""
    socket.sethostname(new)
    write("/etc/hostname", new + "\n")
    if os.path.exists(ROOT + CLOUD + "/data/previous-hostname"):
        write(CLOUD + "/data/previous-hostname", new + "\n")
    rename_in_hosts(old.split(".")[0], new)


def rename_in_hosts(old, new):
    """The lines of the guest's own addresses name it; one is added where none does."""
    lines = read("/etc/hosts").splitlines()
    if old not in ("", "localhost"):
        named = lambda word: new if word[0] == old else word[0]
        lines = [NAME_IN_HOSTS.sub(named, line) if OWN_ADDRESS.match(line) else line
                 for line in lines]
    if not any(new in line.split() for line in lines if OWN_ADDRESS.match(line)):
        lines.append("127.0.1.1\t" + new)
    write("/etc/hosts", "".join(line + "\n" for line in lines))


def change_machine_id(new):
    old = read("/etc/machine-id").strip()
    write("/etc/machine-id", new + "\n")
    copy = "/var/lib/dbus/machine-id"
    if os.path.isfile(ROOT + copy) and not os.path.islink(ROOT + copy):
        write(copy, new + "\n")
    # journald goes on under the old name, and journalctl looks under the new one.
    for journals in "/run/log/journal/", "/var/log/journal/":
        if old and old != new and os.path.isdir(ROOT + journals + old):
            os.rename(ROOT + journals + old, ROOT + journals + new)
            os.symlink(new, ROOT + journals + old)


def authorize(user, keys):
    home, owner = home_of(user)
    folder = home + "/.ssh"
    if not os.path.isdir(ROOT + folder):
        os.mkdir(ROOT + folder, 0o700)
        os.chown(ROOT + folder, *owner)
    write(folder + "/authorized_keys", "".join(key + "\n" for key in keys), 0o600, owner)


def home_of(user):
    for line in read("/etc/passwd").splitlines():
        fields = line.split(":")
        if fields[0] == user:
            return fields[5].rstrip("/"), (int(fields[2]), int(fields[3]))
    raise LookupError("there is no user %s" % user)


def rename_instance(new):
    """What cloud-init has done for the old instance counts for the new one from now on."""
    if not os.path.exists(ROOT + CLOUD + "/data/instance-id"):
        return
    old = read(CLOUD + "/data/instance-id").strip()
    instances = ROOT + CLOUD + "/instances/"
    if old != new:
        os.rename(instances + old, instances + new)
    remove(CLOUD + "/instance.nido")
    os.symlink(CLOUD + "/instances/" + new, ROOT + CLOUD + "/instance.nido")
    os.rename(ROOT + CLOUD + "/instance.nido", ROOT + CLOUD + "/instance")
    # What the old seed said, with its id and hostname; each boot makes these again from the new one,
    # but in cloud-init 22.4 sets the hostname before.
    for name in "obj.pkl", "cloud-config.txt":
        remove("%s/instances/%s/%s" % (CLOUD, new, name))
    for path in CLOUD + "/data/instance-id", CLOUD + "/data/previous-instance-id":
        write(path, new + "\n")
    if os.path.exists(ROOT + CLOUD_RUN + "/.instance-id"):
        write(CLOUD_RUN + "/.instance-id", new + "\n")
    for name in "instance-data.json", "instance-data-sensitive.json":
        path = "%s/%s" % (CLOUD_RUN, name)
        if os.path.exists(ROOT + path):
            write(path, read(path).replace(json.dumps(old), json.dumps(new)))


def lease_renewal():
    """The command that renews the leases, where there are some; a guest that was frozen where there
    was no way out has no route to tell its interface by."""
    leases = ROOT + "/run/systemd/netif/leases"
    if os.path.isdir(leases):
        held = os.listdir(leases)
        names = [name for name in sorted(os.listdir(ROOT + "/sys/class/net"))
                 if read("/sys/class/net/%s/ifindex" % name).strip() in held]
        return ["networkctl", "renew"] + names if names else None
    routes = [line.split() for line in read("/proc/net/route").splitlines()[1:]]
    if routes and os.path.isdir(ROOT + "/run/dhcpcd"):
        return ["dhcpcd", "--rebind", routes[0][0]]
    return None
`.trimStart();
