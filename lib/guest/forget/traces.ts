/** Python: what of a guest tells who it was, and how a file of it is made to hold nothing. */
export const traces = String.raw`
"""Makes a guest forget who it was. It runs in a copy that is shut down right afterwards."""
import fcntl
import glob
import json
import os
import signal
import stat
import struct
import subprocess
import sys
import time

ZEROS = bytes(1 << 20)
HISTORIES = (
    ".bash_history", ".sh_history", ".ash_history", ".zsh_history", ".histfile", ".history",
    ".python_history", ".node_repl_history", ".psql_history", ".mysql_history", ".sqlite_history",
    ".rediscli_history", ".lesshst", ".viminfo", ".local/share/fish/fish_history",
    ".local/state/bash/history", ".local/state/python_history", ".cache/zsh/history",
)
LOGINS = ".ssh/authorized_keys", ".ssh/authorized_keys2", ".ssh/known_hosts", ".ssh/known_hosts.old"
KEYS = (
    "/etc/ssh/ssh_host_*", "/var/lib/systemd/random-seed", "/var/lib/systemd/credential.secret",
    "/var/lib/urandom/random-seed", "/var/lib/NetworkManager/secret_key", "/var/lib/random-seed",
)
LEASES = (
    "/var/lib/dhcp/*", "/var/lib/dhclient/*", "/var/lib/dhcpcd/*", "/var/lib/dhcpcd5/*",
    "/var/lib/NetworkManager/*.lease", "/var/lib/NetworkManager/timestamps",
    "/var/lib/systemd/network/*", "/var/lib/udhcpd/*",
)
FOLDERS = (
    "/var/lib/cloud", "/var/lib/systemd/coredump", "/var/crash", "/tmp", "/var/tmp",
    "/var/log/journal",
)
ROTATED = (".gz", ".xz", ".zst", ".bz2", ".old", ".journal", "~")
problems = []


def attempt(what, part, *given):
    try:
        return part(*given)
    except Exception as error:
        problems.append("Cannot %s: %s" % (what, error or type(error).__name__))


def run(*words):
    """Runs a program; one that is not there does nothing."""
    try:
        return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120).returncode
    except FileNotFoundError:
        return None


def blank(path):
    """Writes zeros over all that a file holds, where it stands; holes stay holes."""
    opened = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        end = os.fstat(opened).st_size
        place = 0
        while place < end:
            try:
                place = os.lseek(opened, place, os.SEEK_DATA)
            except OSError:
                break
            hole = os.lseek(opened, place, os.SEEK_HOLE)
            while place < hole:
                place += os.pwrite(opened, ZEROS[:hole - place], place)
        os.fsync(opened)
    finally:
        os.close(opened)


def forget(path):
    """Removes a file; what it held is overwritten, unless another name of it stays."""
    found = os.lstat(path)
    if stat.S_ISDIR(found.st_mode):
        forget_tree(path)
        return os.rmdir(path)
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
        blank(path)
    os.unlink(path)


def forget_tree(folder):
    """Removes all that is in a folder; what is mounted there stays."""
    mounted = [place for _, place, _, _ in mounts()]
    for entry in list(os.scandir(folder)):
        if not any(place == entry.path or place.startswith(entry.path + "/") for place in mounted):
            attempt("remove " + entry.path, forget, entry.path)


def mounts():
    with open("/proc/mounts", encoding="utf-8", errors="surrogateescape") as file:
        lines = [line.split() for line in file]
    return [[field.replace("\\040", " ") for field in line[:4]] for line in lines]


def empty(path):
    """Leaves a file with nothing in it, for the program that goes on writing to it."""
    blank(path)
    os.truncate(path, 0)


def homes():
    with open("/etc/passwd", encoding="utf-8", errors="surrogateescape") as file:
        fields = [line.rstrip("\n").split(":") for line in file]
    found = {line[5].rstrip("/") for line in fields if len(line) > 5}
    return sorted(home for home in found | {"/root"} if home and os.path.isdir(home))
`.trimStart();
