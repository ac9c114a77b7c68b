"""Networks of a test's own: namespaces joined by a pair of virtual cables, cut and healed.

    with Joined("a", "b") as (one, other):     two namespaces that reach each other
        with one.inside():                     what this thread starts or opens now lies in there
            ...
        one.cut(other); one.heal(other)        packets between them are dropped, without a word

A namespace has a loopback of its own, so the same ports may be used in both.  Needs root and a
kernel that permits it: `why_not()` says what is missing, or None.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def run(*command):
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)


def why_not():
    for program in ("ip", "iptables"):
        if not shutil.which(program):
            return f"{program} is not installed"
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    name = f"samverka-try-{os.getpid()}"
    try:
        run("ip", "netns", "add", name)
        run("ip", "netns", "exec", name, "iptables", "-w", "-L", "-n")
    except (subprocess.SubprocessError, OSError) as error:
        return f"no network namespaces here: {getattr(error, 'stderr', '') or error}"
    finally:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
    return None


class Namespace:
    def __init__(self, name, address):
        self.name = name
        self.address = address

    def make(self):
        run("ip", "netns", "add", self.name)
        run("ip", "-n", self.name, "link", "set", "lo", "up")

    def plug(self, cable):
        run("ip", "link", "set", cable, "netns", self.name)
        run("ip", "-n", self.name, "address", "add", f"{self.address}/24", "dev", cable)
        run("ip", "-n", self.name, "link", "set", cable, "up")

    def remove(self):
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True, check=False)

    @contextlib.contextmanager
    def inside(self):
        """This thread's sockets and children belong to the namespace until the block ends."""
        with open("/proc/thread-self/ns/net", "rb") as home, \
                open(f"/run/netns/{self.name}", "rb") as there:
            enter(there)
            try:
                yield
            finally:
                enter(home)

    def _rules(self, action, other):
        for chain, side in (("INPUT", "-s"), ("OUTPUT", "-d")):
            run("ip", "netns", "exec", self.name, "iptables", "-w", action, chain, side,
                other.address, "-j", "DROP")

    def cut(self, other):
        self._rules("-A", other)

    def heal(self, other):
        self._rules("-D", other)


def enter(file):
    if LIBC.setns(file.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Joined:
    """Two namespaces with a cable between them."""

    def __init__(self, one, other):
        mark = f"{os.getpid() % 100000:05}"
        self.spaces = (Namespace(f"samverka-{one}-{mark}", "10.77.0.1"),
                       Namespace(f"samverka-{other}-{mark}", "10.77.0.2"))
        self.cables = (f"sv{mark}{one}"[:15], f"sv{mark}{other}"[:15])

    def __enter__(self):
        try:
            for space in self.spaces:
                space.make()
            run("ip", "link", "add", self.cables[0], "type", "veth", "peer", "name",
                self.cables[1])
            for space, cable in zip(self.spaces, self.cables):
                space.plug(cable)
        except BaseException:
            self.__exit__()
            raise
        return self.spaces

    def __exit__(self, *_):
        for space in self.spaces:
            space.remove()  # its end of the cable goes with it
        subprocess.run(["ip", "link", "delete", self.cables[0]], capture_output=True, check=False)
