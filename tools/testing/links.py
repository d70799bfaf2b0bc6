"""Runs bench_link, and watches its processes and hosts from outside."""

import contextlib
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time

from .watching import alive, children, descendants, wait_until

SKIPPED = 77  # the exit status of a test that cannot run here
SECONDS = 60  # for one run of bench_link
ATTEMPTS = 4
BUSY = "too slow or too busy for it"  # bench_link says so if the machine disturbs its check
HOST_PROGRAM = pathlib.Path(__file__).with_name("link_host.py")
UNSHARE_WAYS = (("unshare", "--net"), ("unshare", "--user", "--net"))


def on_host(what, *arguments):
    """Returns the words of a command that does this of link_host.py."""
    return [sys.executable, str(HOST_PROGRAM), what, *map(str, arguments)]


def why_no_links():
    """Returns why nobody can make links here, or None. Does not ask the program that is tested."""
    tries = [subprocess.run([*way, "true"], capture_output=True, text=True, check=False)
             for way in UNSHARE_WAYS]
    if all(done.returncode for done in tries):
        return f"no right to make a network namespace: {tries[-1].stderr.strip()}"
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        return f"a link needs /dev/net/tun: {error.strerror}"
    return None


def skip_without_links():
    """Ends the test program, visibly skipped, where nobody can make links."""
    if reason := why_no_links():
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)


def pass_on_signals():
    """Has programs heed the signals that a shell ignores for what it starts in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def was_too_busy(status, stderr):
    """Returns whether a program ended because the machine was busy, so that another attempt is due.

    Two links at once, or a compiler, take the CPU from a forwarder for milliseconds at a time. A
    test cannot do anything about those.
    """
    return status != 0 and BUSY in stderr


def run_link(*words, **how):
    """Runs bench_link, or a command that ends with it, and returns the finished process."""
    how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
           "text": True, "timeout": SECONDS, "check": False} | how
    for _ in range(ATTEMPTS):
        done = subprocess.run(words, **how)
        if not was_too_busy(done.returncode, done.stderr):
            break
    return done


def measure_until_right(measure, wrong, attempts=5):
    """Measures until nothing is wrong, and returns that. Only for times: a busy machine disturbs some.

    `wrong(measured)` says what is wrong. Fails with all of that after so many attempts.
    """
    complaints = []
    for _ in range(attempts):
        measured = measure()
        if not (complaint := wrong(measured)):
            return measured
        complaints.append(complaint)
    raise AssertionError(f"each of {attempts} attempts failed: {complaints}")


def own_lines(stderr):
    """Returns what bench_link says, without what the check of the link measured."""
    return [line for line in stderr.splitlines()
            if line.startswith("bench_link: ") and not re.match("bench_link: [^ ]+ by (tun|netem): ", line)]


def read_link(path):
    """Returns what a link of /proc leads to, or nothing if the process has ended."""
    try:
        return os.readlink(path)
    except OSError:
        return ""


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descriptors(pid):
    """Returns what the descriptors of a process lead to."""
    try:
        return [read_link(entry) for entry in os.scandir(f"/proc/{pid}/fd")]
    except OSError:
        return []


def namespaces_of(pid):
    """Returns the network and PID namespaces that a process is in, or keeps by a descriptor."""
    return {name for name in (read_link(f"/proc/{pid}/ns/net"), read_link(f"/proc/{pid}/ns/pid"),
                              *descriptors(pid)) if name.startswith(("net:", "pid:"))}


def holders(namespaces):
    """Returns the processes that are in one of these namespaces or keep one."""
    return [pid for pid in processes() if namespaces_of(pid) & namespaces]


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def listening_sockets(pid="self"):
    """Returns the inodes and addresses of the TCP sockets that listen on a process's host."""
    found = {}
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            if words[3] == "0A":
                found[words[9]] = words[1]
    return found


def devices(pid="self"):
    """Returns the names of the network devices on a process's host."""
    lines = pathlib.Path(f"/proc/{pid}/net/dev").read_text(encoding="ascii").splitlines()[2:]
    return {line.split(":")[0].strip() for line in lines}


class LinkProcesses:
    """A bench_link that a test has started, what it consists of, and what is left of it."""

    def __init__(self, process, stderr=None):
        self.process = process
        self.outer = process.pid
        self._stderr = stderr
        self.family = []
        self._namespaces = set()
        self.see()

    def see(self):
        """Remembers the processes of which it consists now, and their namespaces."""
        now = [self.outer, *descendants(self.outer)]
        self.family = sorted({*self.family, *now})
        self._namespaces |= set().union(*map(namespaces_of, now)) - namespaces_of("self")

    @property
    def stderr(self):
        return self._stderr.read_text(encoding="utf-8", errors="replace") if self._stderr else ""

    def find(self, condition):
        """Returns the first of the processes for which `condition(pid)` is true, or None."""
        return next(filter(condition, descendants(self.outer)), None)

    def left(self):
        """Returns the processes that have not ended, and those that keep a namespace."""
        return sorted({*filter(alive, self.family), *holders(self._namespaces)})

    def kill(self):
        """Kills what is left, so that a test that fails leaves nothing to those after it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pid in holders(self._namespaces):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def wait(self, seconds):
        """Waits until nothing is left, and returns the exit status. Fails after so many seconds."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None or self.left():
            if time.monotonic() > deadline:
                left = {pid: command_line(pid) or name_of(pid) for pid in self.left()}
                raise AssertionError(f"after {seconds} s there are still {left}; stderr: {self.stderr}")
            time.sleep(0.005)
        return self.process.returncode


def start_link(test, words, find=None):
    """Starts bench_link, or a program that starts it. Returns LinkProcesses, which end with the test.

    With `find`, waits for the first process below it for which `find(pid)` is true, and returns
    the LinkProcesses and that.
    """
    for _ in range(ATTEMPTS):
        stderr = test.folder / f"stderr_{time.monotonic_ns()}"
        with stderr.open("wb") as file:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=file)
        link = LinkProcesses(process, stderr)
        test.addCleanup(link.kill)
        if find is None:
            return link
        wait_until(lambda: link.find(find) or process.poll() is not None, f"the start of {words}")
        found = link.find(find)
        if found or not was_too_busy(process.poll(), link.stderr):
            break
    test.assertTrue(found, f"{words} has ended with {process.poll()}: {link.stderr}")
    link.see()
    return link, found


def start_commands(test, bench_link, *flags, client, server=None):
    """Starts a link, waits until its client's command runs, and returns LinkProcesses.

    The attributes init, forwarder, client and server have the ids of its processes.
    """
    words = [bench_link, *flags, *([f"--server={shlex.join(server)}"] if server else []), "--", *client]
    link, started = start_link(test, words, lambda pid: command_line(pid) == client)
    link.client = started
    link.init, = children(link.outer)
    below = children(link.init)
    link.forwarder, = (pid for pid in below if name_of(pid) == "bench_link_fwd")
    others = [pid for pid in below if pid not in (link.forwarder, link.client)]
    link.server = others[0] if server else None
    return link
