/** Python: the order in which a guest forgets, and giving back the blocks of what was deleted. */
export const cleaning = String.raw`
FITRIM, BLKDISCARD = 0xC0185879, 0x1277  # <linux/fs.h>
DBUS_ID = "/var/lib/dbus/machine-id"
PAGE = os.sysconf("SC_PAGE_SIZE")


def clean_identity():
    attempt("empty /etc/machine-id", empty, "/etc/machine-id")
    if os.path.isfile(DBUS_ID) and not os.path.islink(DBUS_ID):
        attempt("remove " + DBUS_ID, forget, DBUS_ID)
    for pattern in KEYS + LEASES:
        for path in glob.glob(pattern):
            attempt("remove " + path, forget, path)
    for home in homes():
        for name in LOGINS + HISTORIES:
            path = os.path.join(home, name)
            if os.path.lexists(path):
                attempt("remove " + path, forget, path)


def clean_folders():
    for folder in FOLDERS:
        if os.path.isdir(folder) and not os.path.islink(folder):
            attempt("clean " + folder, forget_tree, folder)
    run("cloud-init", "clean")  # the distribution's own steps


def clean_logs():
    for folder, _, names in os.walk("/var/log"):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.isfile(path) or os.path.islink(path):
                continue
            rotated = name.endswith(ROTATED) or name.rpartition(".")[2].isdigit()
            attempt("empty " + path, forget if rotated else empty, path)


def clean_swap():
    with open("/proc/swaps", encoding="utf-8", errors="replace") as file:
        used = [line.split()[0].replace("\\040", " ") for line in file.readlines()[1:]]
    for path in used:
        attempt("clean the swap space " + path, blank_swap, path)


def blank_swap(path):
    """Its first page names it and stays."""
    if run("swapoff", path) != 0:
        raise OSError("it is in use")
    with open(path, "r+b", 0) as space:
        end = space.seek(0, os.SEEK_END)
        if stat.S_ISBLK(os.fstat(space.fileno()).st_mode):
            return fcntl.ioctl(space, BLKDISCARD, struct.pack("QQ", PAGE, end - PAGE))
        space.seek(PAGE)
        while space.tell() < end:
            space.write(ZEROS[:end - space.tell()])
        os.fsync(space.fileno())


def file_systems():
    """Those on disks that can be written to, each once: folder and kind."""
    found = {}
    for device, folder, kind, options in mounts():
        if device.startswith("/dev/") and "rw" in options.split(","):
            found.setdefault(device, (folder, kind))
    return found.values()


def touch_free_blocks(folder):
    """
    Takes all free blocks and gives them back, writing to none. ext4 (Linux 6.1) trims no group of
    blocks a second time unless something in it was freed since; what a first trim could not discard,
    because the disk's clusters were larger, would stay.
    """
    path = os.path.join(folder, ".nido-free-%d" % os.getpid())
    opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        free = os.statvfs(folder)
        place, step = 0, free.f_bfree * free.f_frsize
        while step >= free.f_frsize:
            try:
                os.posix_fallocate(opened, place, step)
                place += step
            except OSError:
                step //= 2
    finally:
        os.close(opened)
        os.unlink(path)


def trim(folder):
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(opened, FITRIM, struct.pack("QQQ", 0, (1 << 64) - 1, 0))
    finally:
        os.close(opened)


def blank_journal(folder):
    """Writes the journal of ext4 to its place and zeros over it: it holds copies of folders that are
    gone, names and all. EXT4_IOC_CHECKPOINT with its flag for zeros, since Linux 5.14."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(opened, 0x4004662B, struct.pack("I", 2))
    finally:
        os.close(opened)


def main():
    quiet()
    clean_identity()
    clean_folders()
    clean_logs()
    attempt("clean the swap space", clean_swap)
    os.sync()
    for folder, kind in file_systems():
        if kind == "ext4":
            attempt("take the free blocks of " + folder, touch_free_blocks, folder)
            os.sync()
        attempt("give back what was deleted in " + folder, trim, folder)
    os.sync()
    for folder, kind in file_systems():
        if kind == "ext4":
            attempt("empty the journal of " + folder, blank_journal, folder)
    print(json.dumps({"forgot": True, "problems": problems}))


main()
`.trimStart();
