/** Python: the guest's disks: growing the root, dropping what is cached, making ready to be frozen. */
export const disks = String.raw`
# ioctls of <linux/fs.h>
FITRIM, BLKFLSBUF = 0xC0185879, 0x1261
EOPNOTSUPP_OR_SO = (22, 25, 30, 95)  # EINVAL, ENOTTY, EROFS, EOPNOTSUPP
MIB = 1 << 20
QUIET, QUIET_SECONDS = 0.9, 20
GROWS = {"ext2": "resize2fs", "ext3": "resize2fs", "ext4": "resize2fs", "xfs": "xfs_growfs"}

# A new instance to cloud-init 22.4: it writes the network's configuration anew, and since that is done
# once a boot, brings nothing up or down; what is the same stays as it is.
FIRST_BOOT = ["sh", "-c", "cloud-init init --local; cloud-init init; "
              "cloud-init modules --mode=config; cloud-init modules --mode=final"]


def grow_root():
    mount = next(fields for fields in mounts() if fields[1] == "/")
    number = os.stat("/").st_dev
    system = os.path.realpath("/sys/dev/block/%d:%d" % (os.major(number), os.minor(number)))
    partition = "/dev/" + os.path.basename(system)
    if os.path.exists(system + "/partition"):
        disk = os.path.dirname(system)
        if has_room_behind(disk, system):
            failed, said = run("growpart", "/dev/" + os.path.basename(disk),
                               read(system + "/partition").strip())
            if failed:
                raise OSError("growpart: " + said)
    tool = GROWS.get(mount[2])
    if tool is None:
        raise OSError("%s has a %s file system, which Nido can't grow" % (partition, mount[2]))
    failed, said = run(tool, "/" if tool == "xfs_growfs" else partition)
    if failed:
        raise OSError("%s: %s" % (tool, said))


def has_room_behind(disk, partition):
    """Asks for a while: the kernel hears of a disk's new size some moments after it has woken."""
    for _ in range(40):
        end = int(read(partition + "/start")) + int(read(partition + "/size"))
        if (int(read(disk + "/size")) - end) * 512 > MIB:
            return True
        time.sleep(0.05)
    return False


def mounts():
    return [line.split() for line in read("/proc/mounts").splitlines()]


def flush_seed():
    """Drops what the kernel has cached of the seed, whose content is another one now."""
    labels = "/dev/disk/by-label/"
    seed = next((labels + label for label in ("CIDATA", "cidata") if os.path.exists(labels + label)),
                None)
    if seed is None:
        raise LookupError("there is no disk with the label CIDATA")
    with open(seed, "rb", 0) as device:
        fcntl.ioctl(device, BLKFLSBUF)


def forget_first_boot():
    """Without these cloud-init looks for its seed again, and whoever asks for its end waits."""
    for name in "result.json", "status.json", ".instance-id":
        remove("%s/%s" % (CLOUD_RUN, name))


def prepare(renewal):
    """Gives unused blocks back, writes all to the disk and waits until the guest has calmed down."""
    trimmed = set()
    for device, folder, _, options in (fields[:4] for fields in mounts()):
        if device.startswith("/dev/") and "rw" in options.split(",") and device not in trimmed:
            trimmed.add(device)
            renewal.attempt("trim " + folder, trim, folder)
    os.sync()
    gc.collect()
    deadline = time.monotonic() + QUIET_SECONDS
    before = processor_times()
    while time.monotonic() < deadline:
        time.sleep(1)
        now = processor_times()
        if now[0] - before[0] >= QUIET * (now[1] - before[1]):
            return True
        before = now
    return False


def trim(folder):
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(opened, FITRIM, struct.pack("QQQ", 0, (1 << 64) - 1, 0))
    except OSError as error:
        if error.errno not in EOPNOTSUPP_OR_SO:
            raise
    finally:
        os.close(opened)


def processor_times():
    """Ticks of all processors: idle, and in all (guest time is within user time already)."""
    times = [int(ticks) for ticks in read("/proc/stat").split("\n", 1)[0].split()[1:9]]
    return times[3], sum(times)
`.trimStart();
