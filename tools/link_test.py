"""Tests what tools/link promises: `link_test.py bench_link`.

Runs the real program with real commands on the two hosts. A busy machine disturbs times and rates, so
those are measured again before a test fails.
"""

import errno
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import unittest

from testing.folder_test_case import FolderTestCase
from testing.links import (command_line, devices, measure_until_right, listening_sockets, name_of, on_host, own_lines,
                           pass_on_signals, read_link, run_link, skip_without_links, start_commands, start_link)
from testing.link_host import GREETING, PORT
from testing.watching import wait_until

BENCH_LINK = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else sys.exit("usage: link_test.py <bench_link>"))
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
SOON = 2.5  # seconds until all of a link has ended; less than the 3 s that commands may take
IDLE = ("sleep", "1000")

needs_root = unittest.skipIf(os.geteuid() != 0, "only root may do that")
needs_user_namespaces = unittest.skipIf(
    subprocess.run(["unshare", "--user", "true"], capture_output=True, check=False).returncode != 0,
    "user namespaces are forbidden here")


def strerror(number):
    return os.strerror(number)


def has_netem():
    """Returns whether the kernel and iproute2 have what a link by netem needs."""
    return subprocess.run(
        ["unshare", "--net", "sh", "-c", "ip link set lo up && tc qdisc add dev lo root netem delay 1ms"],
        capture_output=True, check=False).returncode == 0


class LinkTestCase(FolderTestCase):
    PROGRAM = "bench_link"

    def run_link(self, *flags, client=("true",), server=None, **how):
        """Runs bench_link and returns the finished process. Its hosts know no delay if not told."""
        words = [BENCH_LINK, *flags]
        if server:
            words.append(f"--server={server if isinstance(server, str) else ' '.join(server)}")
        return run_link(*words, *(["--", *client] if client else []), **how)

    def start(self, *flags, client=IDLE, server=None):
        return start_commands(self, BENCH_LINK, *flags, client=list(client), server=server)

    def measure(self, *flags, client, server):
        """Returns what the command of link_host.py says on the client's host."""
        done = self.run_link(*flags, client=client, server=server)
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout)


class CommandLineTest(LinkTestCase):
    def test_the_status_is_that_of_the_command(self):
        for command, status in ((["true"], 0), (["sh", "-c", "exit 7"], 7),
                                (["sh", "-c", "kill -TERM $$"], 128 + signal.SIGTERM),
                                (["sh", "-c", "kill -KILL $$"], 128 + signal.SIGKILL)):
            with self.subTest(command=command):
                done = self.run_link(client=command)
                self.assertEqual((status, []), (done.returncode, own_lines(done.stderr)), done.stderr)

    def test_a_command_that_is_none(self):
        no_program = self.write("text", "not a program")
        for command, status, error in (("/no/such/program", 127, errno.ENOENT),
                                       ("no_such_program_in_path", 127, errno.ENOENT),
                                       (str(no_program), 126, errno.EACCES)):
            with self.subTest(command=command):
                done = self.run_link(client=[command])
                self.assertEqual((status, [f"bench_link: {command}: {strerror(error)}"]),
                                 (done.returncode, own_lines(done.stderr)))

    def test_refused_flags(self):
        for flag, words in (("--rtt=1", '--rtt: "1" is not'), ("--rtt=11s", '--rtt: "11s" is not'),
                            ("--rate=0", '--rate: "0" is not'), ("--rate=fast", '--rate: "fast" is not'),
                            ("--loss=2", "--loss: Value 2 not in range"), ("--jitter=-1ms", "--jitter:"),
                            ("--queue=10", "--queue:"), ("--emulator=magic", '"magic" is not tun or netem'),
                            ("--speed=1", "--speed")):
            with self.subTest(flag=flag):
                self.assert_refused(self.run_link(flag), words)
        self.assert_refused(self.run_link("--rtt=1ms", client=()), "a command must follow")

    def test_the_streams_are_those_of_the_command(self):
        done = self.run_link(client=["sh", "-c", "cat; echo complaint >&2"], stdin=None, input="question")
        self.assertEqual((0, "question"), (done.returncode, done.stdout), done.stderr)
        self.assertIn("complaint\n", done.stderr)

    def test_the_check_says_what_it_measured(self):
        for flags, delay, rate in ((("--rtt=0",), "0", ""), (("--rtt=1ms",), "1ms", ""),
                                   (("--rtt=300us", "--rate=50mbit"), "300us", r", (49|50|51)(\.\d+)? Mbit/s")):
            with self.subTest(flags=flags):
                done = self.run_link(*flags, "--emulator=tun")
                self.assertEqual(0, done.returncode, done.stderr)
                number = r"\d+\.\d us"
                self.assertRegex(done.stderr, rf"\Abench_link: {delay} by tun: connect {number}, call {number} "
                                              rf"\({number} within a host\){rate}\n\Z")


class DelayTest(LinkTestCase):
    """What the link does to packets, as programs on its hosts see it."""

    def test_a_connection_takes_an_rtt(self):
        """Beside what it takes within a host."""
        for text, rtt_us in (("300us", 300), ("1ms", 1000), ("20ms", 20_000)):
            with self.subTest(rtt=text):
                def wrong(times, rtt_us=rtt_us):
                    across, within = map(statistics.median, times)
                    us = across - within
                    return abs(us - rtt_us) > max(30, 0.01 * rtt_us) and f"{us:.1f} us, not {rtt_us}"
                measure_until_right(lambda text=text: self.measure(f"--rtt={text}", client=on_host("connect", 21),
                                                          server=on_host("listen")), wrong)

    def test_a_transfer_has_the_rate(self):
        def wrong(told):
            # Of 1500 bytes, 52 are headers of IP and TCP.
            mbits = told["bytes"] * 1500 / 1448 * 8 / told["seconds"] / 1e6
            return abs(mbits - 20) > 0.02 * 20 and f"{mbits:.2f} Mbit/s, not 20"
        measure_until_right(lambda: self.measure("--rtt=5ms", "--rate=20mbit", client=on_host("send", 1.5),
                                        server=on_host("sink")), wrong)

    def count(self, *flags, spacing_us, number=2000):
        """Sends datagrams, and returns the numbers and delays in us of those that arrive."""
        arrived = self.measure(*flags, client=on_host("datagrams", number, spacing_us), server=on_host("count"))
        self.assertTrue(arrived, "nothing arrives")
        return list(zip(*arrived))

    def test_loss_loses_datagrams(self):
        # Five standard deviations of the number that chance selects among 2000.
        for flags, expected, within in (((), 2000, 0), (("--loss=0.02",), 1960, 5 * 6.3)):
            with self.subTest(flags=flags):
                def wrong(numbers, expected=expected, within=within):
                    self.assertEqual(sorted(set(numbers)), list(numbers), "doubled or out of order")
                    return abs(len(numbers) - expected) > within and f"{len(numbers)}, not {expected}"
                measure_until_right(lambda flags=flags: self.count("--rtt=1ms", *flags, spacing_us=50)[0], wrong)

    def test_jitter_spreads_delays_and_keeps_the_order(self):
        def wrong(arrived):
            numbers, delays = arrived
            self.assertEqual(list(range(400)), list(numbers), "lost or out of order")
            low, *_, high = statistics.quantiles(delays, n=20)
            # Half of the RTT is 5 ms, and each packet's delay is between 2 and 8 ms.
            if min(delays) < 2000:
                return f"a datagram takes {min(delays):.0f} us"
            if high > 8300:
                return f"one of 20 datagrams takes more than {high:.0f} us"
            return high - low < 2000 and f"nearly all take {low:.0f} to {high:.0f} us"
        measure_until_right(lambda: self.count("--rtt=10ms", "--jitter=3ms", spacing_us=1000, number=400), wrong)


class HostsTest(LinkTestCase):
    def test_the_addresses_are_in_the_environment(self):
        say = "echo $LINK_CLIENT $LINK_SERVER"
        told = self.folder / "told"
        done = self.run_link(client=["sh", "-c", say],
                             server=f"{say} >'{told}'; exec {' '.join(on_host('listen'))}")
        self.assertEqual((0, "198.18.0.1 198.18.0.2\n"), (done.returncode, done.stdout), done.stderr)
        self.assertEqual(done.stdout, told.read_text(encoding="ascii"))

    def test_hosts_reach_each_other_alone(self):
        outside = self.enterContext(socket.create_server(("0.0.0.0", 0)))
        port = outside.getsockname()[1]
        done = self.run_link(
            client=on_host("reach", f"198.18.0.2:{PORT}", f"127.0.0.1:{port}", f"{own_address()}:{port}",
                           "192.0.2.1:80"), server=on_host("listen"))
        unreachable = strerror(errno.ENETUNREACH)
        self.assertEqual((0, [None, strerror(errno.ECONNREFUSED), unreachable, unreachable]),
                         (done.returncode, json.loads(done.stdout or "null")), done.stderr)

    def test_each_host_has_one_device_and_one_route(self):
        link = self.start(server=on_host("listen"))
        for pid in (link.client, link.server):
            self.assertEqual({"lo", "link0"}, devices(pid), command_line(pid))
            routes = pathlib.Path(f"/proc/{pid}/net/route").read_text(encoding="ascii").splitlines()[1:]
            other = 1 if pid == link.server else 2
            self.assertEqual([("link0", f"{other:02X}0012C6", "FFFFFFFF")],
                             [(words[0], words[1], words[7]) for words in map(str.split, routes)])

    def test_nobody_outside_reaches_a_host(self):
        self.start(server=on_host("listen"))
        for host in ("198.18.0.2", "127.0.0.1"):
            try:
                with socket.create_connection((host, PORT), timeout=0.5) as connection:
                    self.assertNotEqual(GREETING, connection.recv(len(GREETING)), host)
            except OSError:
                pass  # nobody else answers there either, which is usual

    def test_the_machine_itself_stays_as_it_was(self):
        before = devices()
        link = self.start(server=on_host("listen"))
        self.assertLessEqual(devices(), before)
        own = {read_link(entry) for pid in link.family for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir()}
        def listening(pid):
            return [address for inode, address in listening_sockets(pid).items() if f"socket:[{inode}]" in own]
        self.assertEqual([f"020012C6:{PORT:04X}"], listening(link.server))
        self.assertEqual([], listening("self"))
        self.assertNotIn(read_link("/proc/self/ns/net"),
                         {read_link(f"/proc/{pid}/ns/net") for pid in (link.client, link.server)})
        self.assertEqual(2, len({read_link(f"/proc/{pid}/ns/net") for pid in (link.client, link.server)}))


def own_address():
    """Returns the address from which this machine sends; that of loopback if it has no other."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "192.0.2.1"
        return probe.getsockname()[0]


class ServerTest(LinkTestCase):
    def test_a_server_that_ends_at_once_is_told(self):
        begin = time.monotonic()
        for server, status in (("exit 3", 3), ("true", 0), ("/no/such/server", 127), ("kill -9 $$", 137)):
            with self.subTest(server=server):
                done = self.run_link(client=["echo", "it ran"], server=server)
                self.assertEqual(
                    (1, "", [f"bench_link: the server's command ended with status {status} before it listened"]),
                    (done.returncode, done.stdout, own_lines(done.stderr)))
        self.assertLess(time.monotonic() - begin, 15, "of 20 s for each until the time limit")

    def test_the_client_starts_when_the_server_listens(self):
        slow = f"{sys.executable} -c 'import time; time.sleep(0.5)'; exec {' '.join(on_host('listen'))}"
        done = self.run_link(client=on_host("reach", f"198.18.0.2:{PORT}"), server=slow)
        self.assertEqual((0, "[null]\n"), (done.returncode, done.stdout), done.stderr)

    def test_the_server_ends_with_the_client(self):
        """It gets the signal though a shell has started it, and has time to end."""
        told = self.folder / "told"
        server = self.write("server.py", f"""import signal, socket, sys, time
def end(*_):
    time.sleep(0.3)
    open({str(told)!r}, "w").close()
    sys.exit()
signal.signal(signal.SIGTERM, end)
listener = socket.create_server(("198.18.0.2", {PORT}))
while True:
    listener.accept()
""")
        for before in ("", "exec ", "true; "):
            with self.subTest(before=before):
                done = self.run_link(server=f"{before}{sys.executable} '{server}'")
                self.assertEqual((0, []), (done.returncode, own_lines(done.stderr)), done.stderr)
                self.assertTrue(told.exists(), "the server has not got the signal")
                told.unlink()

    def test_a_server_that_ignores_signals_is_killed(self):
        link = self.start(client=("sleep", "0.2"), server=["env", "--ignore-signal=TERM", *on_host("listen")])
        begin = time.monotonic()
        self.assertEqual(0, link.wait(3 + SOON), link.stderr)
        self.assertGreater(time.monotonic() - begin, 2.9)

    def test_a_server_that_ends_well_costs_nothing(self):
        """Some serve one client and end, before that has said what it saw."""
        one = f"""{sys.executable} -c 'import socket
listener = socket.create_server(("198.18.0.2", {PORT}))
listener.accept()[0].send(b"x")'"""
        client = f"""import socket, time
connection = socket.create_connection(("198.18.0.2", {PORT}))
while connection.recv(9):
    pass
time.sleep(0.1)
print("all went well")"""
        done = self.run_link(client=[sys.executable, "-c", client], server=one)
        self.assertEqual((0, "all went well\n"), (done.returncode, done.stdout), done.stderr)


class EndTest(LinkTestCase):
    """Nothing of a link may stay when a part of it ends."""

    def begin(self, **commands):
        return self.start("--rtt=1ms", **{"server": on_host("listen")} | commands)

    def check_all_ends(self, link, status, within=SOON, because=()):
        before = devices()
        self.assertEqual(status, link.wait(within), link.stderr)
        self.assertLessEqual(devices(), before)
        self.assertEqual(list(because), own_lines(link.stderr))

    def test_signals_end_the_commands(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(signal=number):
                link = self.begin()
                link.process.send_signal(number)
                self.check_all_ends(link, 128 + number)

    def test_the_client_decides_how_it_ends(self):
        link = self.begin(client=["sh", "-c", "trap 'exit 9' TERM; sleep 1000 & wait"])
        link.process.terminate()
        self.check_all_ends(link, 9)

    def test_a_client_that_ignores_signals_is_killed(self):
        link = self.begin(client=["sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"])
        begin = time.monotonic()
        link.process.terminate()
        self.check_all_ends(link, 128 + signal.SIGKILL, within=3 + SOON)
        self.assertGreater(time.monotonic() - begin, 2.9)

    def test_signals_end_what_has_not_begun(self):
        """The check of the link may take minutes, and the server may never listen."""
        for flags, last in ((["--rtt=10s"], "bench_link_fwd"), (["--rtt=0", "--server=sleep 1000"], "sleep")):
            with self.subTest(flags=flags):
                link, _ = start_link(self, [BENCH_LINK, *flags, "--", "true"],
                                     lambda pid, last=last: name_of(pid) == last)
                link.process.terminate()
                self.check_all_ends(link, 128 + signal.SIGTERM)

    def test_any_killed_process_ends_them_all(self):
        killed = 128 + signal.SIGKILL
        for part, status, because in (
                ("outer", -signal.SIGKILL, []), ("init", killed, []), ("client", killed, []),
                ("forwarder", 1, ["bench_link: the link's forwarder has ended"]),
                ("server", 1, [f"bench_link: the server's command has ended with status {killed}"])):
            with self.subTest(part=part):
                link = self.begin()
                os.kill(getattr(link, part), signal.SIGKILL)
                self.check_all_ends(link, status, because=because)

    def test_what_the_commands_leave_behind_ends(self):
        told = self.folder / "told"
        link = self.begin(client=["sh", "-c", f"setsid sleep 1000 & echo >'{told}'; sleep 0.2"])
        wait_until(told.exists, "the command in the background")
        link.see()
        self.check_all_ends(link, 0)


@needs_user_namespaces
class RightsTest(LinkTestCase):
    def setUp(self):
        super().setUp()
        # An ordinary user may not be allowed to enter the folder of the build.
        folder = self.enterContext(tempfile.TemporaryDirectory())
        pathlib.Path(folder).chmod(0o755)
        self.bench_link = shutil.copy(BENCH_LINK, folder)

    def with_device(self, mode, *command, **how):
        """Runs a command that finds a private /dev/net/tun with that mode, or none."""
        make = f"mknod -m {mode} /dev/net/tun c 10 200" if mode else "true"
        script = f'mount -t tmpfs none /dev/net && chmod 755 /dev/net && {make} && exec "$@"'
        return run_link("unshare", "--mount", "sh", "-c", script, "sh", *command, **how)

    @needs_root
    def test_an_ordinary_user_has_links_by_a_user_namespace(self):
        done = self.with_device("0666", *NOBODY, self.bench_link, "--rtt=1ms",
                                f"--server={' '.join(on_host('listen'))}", "--",
                                "sh", "-c", "id -u; cat /proc/net/route | wc -l; exec \"$@\"", "sh",
                                *on_host("reach", f"198.18.0.2:{PORT}"))
        self.assertEqual((0, "65534\n2\n[null]\n"), (done.returncode, done.stdout), done.stderr)

    @needs_root
    def test_an_ordinary_user_without_the_device_is_told(self):
        for mode in ("0600", None):
            with self.subTest(mode=mode):
                done = self.with_device(mode, *NOBODY, self.bench_link, "--rtt=1ms", "--", "echo", "it ran")
                self.assert_refused(done, "by a TUN device it needs access to /dev/net/tun", status=1)

    def test_where_user_namespaces_are_forbidden(self):
        done = run_link("unshare", "--user", "--map-root-user", "sh", "-c",
                        'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', "sh",
                        "setpriv", "--inh-caps=-all", "--bounding-set=-sys_admin,-net_admin",
                        self.bench_link, "--rtt=1ms", "--", "echo", "it ran")
        self.assert_refused(done, "make a user namespace: ", status=1)
        self.assertIn("a link needs root, or user namespaces", done.stderr)

    @needs_root
    def test_netem(self):
        for run in (lambda: run_link(self.bench_link, "--emulator=netem", "--rtt=5ms", "--", "echo", "it ran"),
                    lambda: self.with_device(None, self.bench_link, "--rtt=5ms", "--", "echo", "it ran")):
            done = run()
            if has_netem():
                self.assertEqual((0, "it ran\n"), (done.returncode, done.stdout), done.stderr)
                self.assertIn("5ms by netem: ", done.stderr)
            else:
                self.assert_refused(done, "tc", status=1)


if __name__ == "__main__":
    skip_without_links()
    pass_on_signals()
    unittest.main()
