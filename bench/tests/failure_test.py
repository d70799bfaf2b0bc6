"""Tests what the user gets when something breaks: `failure_test.py bench_all`.

Runs the real program with servers that die, hang, lie, never start to serve or belong to another
program. It also ends the program itself in the middle of a run. A failed row must end in an error that
gives the reason, never in a number. The other rows must have numbers, and nothing may be left behind.
"""

import itertools
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from testing.runs import BENCH_ALL, BENCH_SERVER, PATIENCE
from testing.folder_test_case import FolderTestCase
from testing.watching import children, descendants, stat_fields, wait_until
from testing.modes import MODELS
from contract import Server

HERE = pathlib.Path(__file__).resolve().parent
BUSY_TICKS = 5  # of 10 ms, after it is connected; a first call takes fewer, a row many more
# Rows of one call that is measured until something ends it, and rows of a few calls.
ENDLESS = ("--preset=classic", "--requests=10000000")
TRANSPORTS = ("--transport=tcp", "--transport=tls")


def cpu_ticks(pid):
    """Returns user and system time so far, in ticks; 0 for a process that is gone."""
    fields = stat_fields(pid)
    return int(fields[11]) + int(fields[12]) if fields else 0


def is_connected(pid):
    """Returns whether the process has a TCP connection; only then does its CPU time count as work."""
    try:
        with open(f"/proc/{pid}/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table.readlines()[1:]]
        established = {f"socket:[{row[9]}]" for row in rows if row[3] == "01"}
        return any(os.readlink(descriptor) in established
                   for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # the process or the descriptor is gone
        return False


def processes_of_group(group):
    """Returns the group's processes that still run; the machine's init reaps the others at any time."""
    found = {int(name): stat_fields(name) for name in os.listdir("/proc") if name.isdigit()}
    return [pid for pid, fields in found.items()
            if fields and int(fields[2]) == group and fields[0] != "Z"]


def is_server(pid):
    """Returns whether this is a server, native or in Python, and not the Python that is only probed."""
    try:
        program = os.readlink(f"/proc/{pid}/exe")
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return (program in map(os.path.realpath, (BENCH_SERVER, sys.executable))
            and b"\0--nonce=" in command)


class Program:
    """A run of bench_all in a process group of its own, with its results in a file.

    In a session of its own, which Linux schedules as a whole (autogroups), a row of busy threads
    can keep the CPUs from this test until the row has ended.
    """

    def __init__(self, folder, rows, *flags):
        own = tempfile.mkdtemp(dir=folder)
        self.temporary = pathlib.Path(own, "temporary")
        self.temporary.mkdir()
        self.out = pathlib.Path(own, "results.json")
        self._stderr = pathlib.Path(own, "stderr.txt")
        with open(self._stderr, "wb") as stderr:
            self.process = subprocess.Popen(
                [BENCH_ALL, "--preset=quick", f"--python={sys.executable}",
                 f"--benchmark_filter=^({rows})(/iterations:[0-9]+)?/real_time$",
                 "--benchmark_min_time=0.01", "--no_pairs", f"--benchmark_out={self.out}",
                 *flags],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                process_group=0, env={**os.environ, "TMPDIR": str(self.temporary)})
        self.pid = self.process.pid

    def wait(self):
        """Waits for the end of the program and of all that it started. They must leave no files.

        Returns the exit code, negative for a signal.
        """
        try:
            code = self.process.wait(PATIENCE)
        finally:
            self.kill()
        wait_until(lambda: not processes_of_group(self.pid), "the end of all servers")
        if left := os.listdir(self.temporary):
            raise AssertionError(f"left behind: {left}")
        return code

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def servers(self):
        return [pid for pid in children(self.pid) if is_server(pid)]

    def busy_server(self):
        """Returns the server of the current row, once the row keeps it or a session of it busy.

        The time that it took to start does not count, because it is long in Python.
        """
        connected = {}  # servers, and their CPU time when they were first seen connected
        def find():
            if self.process.poll() is not None:
                raise AssertionError(f"bench_all ended by itself: {self.stderr}")
            for pid in self.servers():
                family = [pid, *descendants(pid)]
                ticks = sum(map(cpu_ticks, family))
                if pid not in connected and any(map(is_connected, family)):
                    connected[pid] = ticks
                if ticks - connected.get(pid, ticks) >= BUSY_TICKS:
                    return pid
            return None
        return wait_until(find, "a busy server")

    @property
    def stderr(self):
        return self._stderr.read_text(encoding="utf-8", errors="replace")

    def results(self):
        """Returns measured rows by name, and the messages of failed rows by name, from the file."""
        report = json.loads(self.out.read_text(encoding="utf-8"))
        def name(row):
            return re.sub("(/iterations:[0-9]+)?/real_time$", "", row["name"])
        return ({name(row): row for row in report["benchmarks"]},
                {name(row): row["message"] for row in report["errors"]})

    def finished_rows(self):
        return self.results()[0] if self.out.exists() else {}


class FailureTest(FolderTestCase):
    def start(self, rows, *flags):
        program = Program(self.folder, rows, *flags)
        self.addCleanup(program.kill)
        return program

    def check_all_fail(self, rows, *flags, **expected):
        """Runs `rows`, and checks the run as check_failed() does."""
        return self.check_failed(self.start(rows, *flags), **expected)

    def check_failed(self, program, *, count, because):
        """Expects all `count` rows to fail with a message that contains `because`."""
        self.assertEqual(1, program.wait(), program.stderr)
        measured, errors = program.results()
        self.assertEqual({}, measured)
        self.assertEqual(count, len(errors), errors)
        for name, message in errors.items():
            self.assertIn(because, message, name)
        self.assertIn(f"{count} of {count} rows ended in an error", program.stderr)
        return errors

    def script(self, text):
        """Writes a shell script and returns its path, for --server."""
        return self.program(pathlib.Path(tempfile.mkdtemp(dir=self.folder), "server.sh"), text)

    def misbehaving(self, behaviour):
        server = BENCH_ALL.with_name("misbehaving_server")
        return f'--server={self.script(f"""exec "{server}" --behave={behaviour} "$@" """)}'

    def lying(self, kind, first):
        """Returns flags for a server that lies, and for rows that last until it does."""
        server = self.script(f'exec "{sys.executable}" "{HERE}/testing/lying_server.py" '
                             f'--lie={kind} --lie_from={first} "$@"')
        return f"--server={server}", "--benchmark_min_time=60"

    # The server dies or hangs in the middle of a row.

    def start_endless_row(self, mode, *flags):
        """Starts a row of pings that only a failure ends, followed by a row of a few calls."""
        return self.start(f"Latency/{mode}/ping|Bandwidth/{mode}/upload/1024", *ENDLESS, *flags)

    def check_one_row_fails(self, program, failing, because, other):
        """Expects `failing` to end in an error, and `other`, the row after it, in numbers."""
        self.assertEqual(1, program.wait(), program.stderr)
        measured, errors = program.results()
        self.assertEqual([failing], list(errors))
        self.assertIn(because, errors[failing])
        self.assertEqual([other], list(measured))
        self.assertGreater(measured[other]["real_time"], 0)
        self.assertGreater(measured[other]["p50_us"], 0)
        self.assertIn("1 of 2 rows ended in an error", program.stderr)

    def test_a_killed_server_costs_its_row_alone(self):
        for mode, transport in itertools.product(
                ("tcp_threaded", "rpyc_forking", "pyrpyc_threaded"), TRANSPORTS):
            with self.subTest(mode=mode, transport=transport):
                program = self.start_endless_row(mode, transport)
                os.kill(program.busy_server(), signal.SIGKILL)
                self.check_one_row_fails(program, f"Latency/{mode}/ping",
                                         "was killed by signal 9 (Killed)",
                                         f"Bandwidth/{mode}/upload/1024")

    def test_a_killed_server_costs_a_row_of_many_clients(self):
        program = self.start("Concurrent/http_threaded/clients:10|Isolation/http_threaded",
                             "--clients=10", "--requests_per_client=100000")
        os.kill(program.busy_server(), signal.SIGKILL)
        self.check_one_row_fails(program, "Concurrent/http_threaded/clients:10",
                                 "was killed by signal 9 (Killed)",
                                 "Isolation/http_threaded")

    def test_a_killed_session_costs_its_row_alone(self):
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                program = self.start_endless_row("rpyc_forking", transport)
                session, = children(program.busy_server())
                os.kill(session, signal.SIGKILL)
                self.check_one_row_fails(program, "Latency/rpyc_forking/ping",
                                         f"session process {session} was killed by signal 9",
                                         "Bandwidth/rpyc_forking/upload/1024")

    def test_a_server_that_hangs_is_a_timeout(self):
        programs = {transport: self.start_endless_row("tcp_threaded", transport, "--call_timeout_ms=2000")
                    for transport in TRANSPORTS}
        for program in programs.values():
            os.kill(program.busy_server(), signal.SIGSTOP)
        for transport, program in programs.items():
            with self.subTest(transport=transport):
                self.check_one_row_fails(program, "Latency/tcp_threaded/ping", "timed out",
                                         "Bandwidth/tcp_threaded/upload/1024")

    def test_a_server_that_does_not_end_well_is_told(self):
        """Correct rows before it was told to end do not excuse it."""
        server = self.script(f'"{BENCH_SERVER}" "$@"; echo a leak >&2; exit 5')
        program = self.start("Latency/tcp_threaded/ping", f"--server={server}")
        self.assertEqual(1, program.wait(), program.stderr)
        measured, errors = program.results()
        self.assertEqual((["Latency/tcp_threaded/ping"], []), (list(measured), list(errors)))
        self.assertIn("a server did not end well", program.stderr)
        self.assertIn("exited with code 5", program.stderr)
        self.assertIn("a leak", program.stderr)

    # The server never becomes one.

    def test_a_server_that_is_never_ready_is_a_timeout(self):
        begin = time.monotonic()
        self.check_all_fail("Latency/tcp_threaded/.*", self.misbehaving("silent"),
                            "--ready_timeout_ms=300", count=2, because="not ready within 300 ms")
        self.assertLess(time.monotonic() - begin, 9, "of 30 s without the flag")

    def test_a_server_that_cannot_start_is_reported_at_once(self):
        begin = time.monotonic()
        errors = self.check_all_fail("Latency/tcp_threaded/.*", self.misbehaving("exit"), count=2,
                                     because="exited with code 3")
        self.assertTrue(all("cannot bind: out of luck" in text for text in errors.values()))
        self.assertLess(time.monotonic() - begin, 9, "of 30 s until the time limit")

    def test_a_server_that_is_not_there_is_refused(self):
        program = self.start("Latency/tcp_threaded/ping", "--server=/no/such/server")
        self.assertEqual(2, program.wait())
        self.assertIn('--server: "/no/such/server" is not a file', program.stderr)
        self.assertFalse(program.out.exists())

    def test_a_server_that_is_no_program_is_told(self):
        path = self.write("text", "not a program")
        self.check_all_fail("Latency/tcp_threaded/ping", f"--server={path}", count=1,
                            because="Permission denied")

    def test_a_launcher_that_does_not_find_the_server_is_told(self):
        self.check_all_fail("Latency/tcp_threaded/ping", "--server=/no/such/server",
                            "--server_launcher=env", count=1, because="exited with code 127")

    # The server answers wrongly, or belongs to another program.

    def test_a_server_that_answers_nonsense_is_never_believed(self):
        self.check_all_fail("Latency/tcp_threaded/.*", self.misbehaving("wrong_answer"), count=2,
                            because="its first call failed")

    def test_a_wrong_first_answer_is_never_believed(self):
        answers = {"content": "'ponf'", "size": "'pon'"}
        programs = {kind: self.start("Latency/tcp_threaded/.*", *self.lying(kind, first=1))
                    for kind in answers}
        for kind, answer in answers.items():
            with self.subTest(kind=kind):
                self.check_failed(programs[kind], count=2,
                                  because=f"its first answer is wrong: {answer}")

    def test_a_wrong_later_answer_is_never_a_number(self):
        rows = ("Latency/tcp_threaded/(ping|echo/1024)|"
                "Bandwidth/tcp_threaded/(upload|download)/1024")
        # The verified call comes first, then warm-up calls, then timed calls in runs whose lengths
        # the framework chooses.
        programs = {(first, kind): self.start(rows, *self.lying(kind, first), "--payload=zeros")
                    for first in (2, 13, 100) for kind in ("content", "size")}
        for (first, kind), program in programs.items():
            with self.subTest(first=first, kind=kind):
                errors = self.check_failed(program, count=4, because="wrong reply to")
                for name, message in errors.items():
                    self.assertIn(f"wrong reply to {name}; server:", message)

    def test_a_wrong_sum_is_never_a_number(self):
        # The first sums come before the clock starts, on a new connection of each client.
        programs = {first: self.start("Compute/tcp_threaded/clients:.*",
                                      *self.lying("content", first)) for first in (2, 5)}
        for first, program in programs.items():
            with self.subTest(first=first):
                self.check_failed(program, count=1, because="wrong reply to compute; server:")

    def test_a_wrong_reply_beside_a_crash_is_never_a_number(self):
        # The order of calls: the verified one, the bystanders' first four, the victim's, then those
        # before the crash.
        for first, when in ((3, "wrong reply to the first ping"),
                            (20, "a bystander failed before the crash: wrong reply to ping")):
            with self.subTest(first=first):
                self.check_all_fail("Isolation/tcp_threaded", *self.lying("content", first), count=1,
                                    because=when)

    def test_a_server_that_refuses_to_crash_fails_the_row(self):
        obedient = self.script('for flag; do shift\n'
                               '[ "$flag" = --allow_crash ] || set -- "$@" "$flag"; done\n'
                               f'exec "{BENCH_SERVER}" "$@"')
        for mode, because in (("tcp_threaded", "refused: crash is not allowed here"),
                              ("rpyc_forking", "AttributeError"), ("http_threaded", "status 404")):
            with self.subTest(mode=mode):
                self.check_all_fail(f"Isolation/{mode}", f"--server={obedient}", count=1,
                                    because=because)

    def test_a_server_with_another_nonce_is_refused(self):
        self.check_all_fail("Latency/tcp_threaded/.*", self.misbehaving("wrong_nonce"), count=2,
                            because="a foreign server")

    def test_the_port_of_another_server_is_refused(self):
        with Server([BENCH_SERVER, "--protocol=http", "--model=threaded"]) as foreign:
            impostor = self.script(
                'for flag; do case $flag in --nonce=*) nonce=${flag#--nonce=};; esac; done\n'
                f'echo "{{\\"port\\":{foreign.port},\\"pid\\":$$,\\"nonce\\":\\"$nonce\\"}}"\n'
                'exec cat')
            self.check_all_fail("Latency/(tcp|rpyc)_threaded/.*", f"--server={impostor}",
                                "--call_timeout_ms=2000", count=7,
                                because="its first call failed")

    # One end does not speak TLS, or shows a certificate of its own.

    def without_tls(self, *more):
        """Returns the flag for a server that ignores how it should speak TLS and adds `more` flags."""
        server = self.script('for flag; do shift\n'
                             'case $flag in --tls_*) ;; *) set -- "$@" "$flag";; esac; done\n'
                             f'exec "{BENCH_SERVER}" "$@" {shlex.join(more)}')
        return f"--server={server}"

    def with_own_certificate(self):
        certificate, key = (str(pathlib.Path(self.folder, name)) for name in ("own.pem", "own.key"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-subj", "/CN=own", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        return self.without_tls(f"--tls_certificate={certificate}", f"--tls_key={key}")

    def test_an_end_without_tls_is_told(self):
        speaks = "the peer speaks TLS, and this end does not"
        rows = f"Latency/(rpyc|http)_({'|'.join(MODELS)})/ping"
        for flags, client, servers in (
                ((self.without_tls(), "--transport=tls"), "shake hands by TLS with 127.0.0.1",
                 {"rpyc": speaks, "http": speaks}),
                ((self.with_own_certificate(),), "the peer closed the connection; ",
                 {"rpyc": "shake hands by TLS with 127.0.0.1", "http": "http request (SSL routines)"})):
            with self.subTest(flags=flags):
                errors = self.check_all_fail(rows, *flags, "--preset=full", count=2 * len(MODELS),
                                             because=client)
                for name, message in errors.items():
                    protocol = name.removeprefix("Latency/")[:4]
                    self.assertIn(servers[protocol], message, name)

    def test_a_server_that_signs_its_own_certificate_is_refused(self):
        self.check_all_fail("Latency/tcp_threaded/ping", self.with_own_certificate(), "--transport=tls",
                            count=1, because="verify the certificate (self-signed certificate) of 127.0.0.1")

    # The program itself is ended.

    def test_whatever_ends_the_program_loses_no_row_and_leaves_no_server(self):
        first_rows = ["Connection/tcp_threaded", "Connection/rpyc_forking"]
        for (name, send), transport in itertools.product(
                (("SIGINT", os.killpg), ("SIGTERM", os.kill), ("SIGKILL", os.kill)), TRANSPORTS):
            with self.subTest(signal=name, transport=transport):
                program = self.start(
                    "Connection/(tcp_threaded|rpyc_forking)|Latency/http_threaded/ping", *ENDLESS,
                    transport)
                wait_until(lambda: len(program.finished_rows()) >= 2, "two finished rows")
                wait_until(lambda: len(program.servers()) == 3, "the third row's server")
                number = getattr(signal, name)
                send(program.pid, number)
                self.assertEqual(-number, program.wait(), program.stderr)
                measured, errors = program.results()
                self.assertEqual({}, errors)
                self.assertEqual(first_rows, list(measured))
                self.assertTrue(all(row["p50_us"] > 0 for row in measured.values()))

    # These must not fail.

    def test_every_dialect_is_served(self):
        for dialect in ("5", "6", "auto"):
            with self.subTest(dialect=dialect):
                program = self.start(
                    "(Connection/M.*|Latency/M/ping.*|.*/M/.*/1572864)".replace(
                        "M", "rpyc_(threaded|forking)"),
                    f"--dialect={dialect}")
                self.assertEqual(0, program.wait(), program.stderr)
                measured, errors = program.results()
                self.assertEqual({}, errors)
                self.assertEqual(4 + 6 + 2, len(measured), list(measured))
                for row in measured.values():
                    self.assertIn(f"dialect={dialect}", row["label"])


if __name__ == "__main__":
    unittest.main()
