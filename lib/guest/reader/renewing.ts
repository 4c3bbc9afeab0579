/** Python: what a renewal's parts have in common, the clock and random bytes, and the order of all. */
export const renewing = String.raw`
"""Waits in a guest's memory at a port of the host's, and renews the guest when it wakes anew."""
import binascii
import fcntl
import gc
import json
import os
import re
import signal
import socket
import struct
import sys
import time

ROOT = ""
LATER_SECONDS = 1


def read(path):
    with open(ROOT + path, "rb") as file:
        return file.read().decode("utf-8", "surrogateescape")


def write(path, text, mode=None, owner=None):
    """Writes over a file where it stands: a new file in its place costs an emulated guest 5 ms more.
    A link is replaced, not followed."""
    if os.path.islink(ROOT + path):
        remove(path)
    opened = os.open(ROOT + path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, mode or 0o644)
    with open(opened, "wb", 0) as file:
        if mode:
            os.fchmod(opened, mode)
        if owner:
            os.fchown(opened, *owner)
        file.write(text.encode("utf-8", "surrogateescape"))
        file.truncate()


def remove(path):
    try:
        os.unlink(ROOT + path)
    except FileNotFoundError:
        pass


def spawn(words, said=None, **how):
    """Starts a program, its output into the file descriptor said; gives its process id."""
    actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    if said is not None:
        actions += [(os.POSIX_SPAWN_DUP2, said, 1), (os.POSIX_SPAWN_DUP2, said, 2)]
    environment = dict(os.environ, LC_ALL="C")
    environment.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    return os.posix_spawnp(
        words[0], words, environment, file_actions=actions, setsigmask=(), **how)


def run(*words):
    """Runs a program to its end; gives its exit status and what it said."""
    ours, theirs = os.pipe()
    with open(ours, "rb") as output:
        try:
            process = spawn(words, theirs)
        finally:
            os.close(theirs)
        said = output.read(65536).decode("utf-8", "replace").strip()
    status = os.waitpid(process, 0)[1]
    return (os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1), said


def set_clock(at):
    time.clock_settime(time.CLOCK_REALTIME, at)


def add_entropy(base64):
    """Random bytes of the host, counted as such, and used from now on (ioctls of <linux/random.h>)."""
    fresh = binascii.a2b_base64(base64)
    with open("/dev/urandom", "rb", 0) as device:
        fcntl.ioctl(device, 0x40085203, struct.pack("ii", len(fresh) * 8, len(fresh)) + fresh)
        fcntl.ioctl(device, 0x5207)


class Renewal:
    """One request of the host: its parts, in their order, and what went wrong with them."""

    def __init__(self, request, kept=None):
        self.request = request
        self.kept = kept
        self.problems = []
        self.later = []

    def attempt(self, what, part, *given):
        try:
            return part(*given)
        except Exception as error:
            self.problems.append("Cannot %s: %s" % (what, error or type(error).__name__))

    def answer(self):
        asked = dict(self.request)
        said = {}
        if "at" in asked:
            self.attempt("set the clock", set_clock, asked.pop("at"))
        if asked.pop("cutConnections", False):
            self.attempt("cut the open connections", cut_connections, self.kept)
        if "entropy" in asked:
            self.attempt("take fresh random bytes", add_entropy, asked.pop("entropy"))
        user_data = asked.pop("userData", False)
        if "identity" in asked:
            self.renew_identity(asked.pop("identity"), user_data)
        if asked.pop("growRoot", False):
            self.attempt("grow the root file system", grow_root)
        if user_data:
            self.attempt("run the user-data", self.run_user_data)
        if asked.pop("prepare", False):
            said["quiet"] = self.attempt("make ready to be frozen", prepare, self) or False
        for part in asked:
            self.problems.append("Cannot renew %s: this guest knows no such part" % part)
        return dict(said, renewed=True, problems=self.problems)

    def renew_identity(self, identity, user_data):
        self.attempt("change the host key", change_host_key, identity["hostKey"])
        self.attempt("change the hostname", change_hostname, identity["hostname"])
        self.attempt("change the machine id", change_machine_id, identity["machineId"])
        if "authorizedKeys" in identity:
            self.attempt("change who may log in", authorize, identity["user"],
                         identity["authorizedKeys"])
        if not user_data:
            self.attempt("rename cloud-init's instance", rename_instance, identity["instanceId"])
        self.attempt("renew the network lease", self.renew_lease_later)

    def renew_lease_later(self):
        words = lease_renewal()
        if words:
            words = ["nice", "-n", "19"] + words
            self.later.append((time.monotonic() + LATER_SECONDS, words, {}))

    def run_user_data(self):
        flush_seed()
        forget_first_boot()
        self.later.append((time.monotonic(), FIRST_BOOT, {"setpgroup": 0}))
`.trimStart();
