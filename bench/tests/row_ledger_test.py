"""Tests the ledger of rows: what a call takes on the wire, as whole numbers.

`row_ledger_test.py bench_all`. The client's own tests show that it counts correctly. These tests
show that rows report the counts per call, however many calls they make, for native and Python
servers.
"""

import csv
import io
import math
import unittest

from testing import runs

FILE, CHUNK = 1_500_000, 65_536
CHUNKS = math.ceil(FILE / CHUNK)
COUNTERS = ("round_trips", "frames_out", "frames_in", "compressed_frames_out",
            "compressed_frames_in", "refs_created", "refs_released")


def buffiter_requests(items):
    """Returns how many requests buffiter makes for the items: it asks for 10, 20, 40 … at once."""
    requests, count = 1, 10
    while items > 0:
        items -= count
        requests, count = requests + 1, min(2 * count, 1000)
    return requests


def ledger(round_trips, releases, refs, compressed=(0, 0)):
    """Returns the expected counters; a release is one frame each way that nobody waits for."""
    frames = round_trips + releases
    return (round_trips, frames, frames, *compressed, refs, refs)


# All calls but the bound and named ones have GETATTR and CALL, and the release of the method.
EXPECTED = {
    "Latency/{}/ping": ledger(2, 1, 1),
    "Latency/{}/ping_bound": ledger(1, 0, 0),
    "Latency/{}/ping_callattr": ledger(1, 0, 0),
    "Latency/{}/echo/1024": ledger(2, 1, 1),
    "Latency/{}/echo_reference/1024": ledger(2, 2, 2),
    "BinaryTransfer/{}/upload/1500000": ledger(2, 1, 1, (1, 0)),
    "BinaryTransfer/{}/download/1500000": ledger(2, 1, 1, (0, 1)),
    # __iter__, one request for each item, and the end; releases of method, list and iterator.
    "BinaryTransfer/{}/upload_chunked/1500000": ledger(2 + 2 + CHUNKS, 3, 3, (CHUNKS, 0)),
    "BinaryTransfer/{}/upload_chunked_by_value/1500000": ledger(2, 1, 1, (1, 0)),
    "BinaryTransfer/{}/download_chunked/1500000": ledger(2 + 2 + CHUNKS, 3, 3, (0, CHUNKS)),
    "BinaryTransfer/{}/download_chunked_buffiter/1500000":
        ledger(2 + 1 + buffiter_requests(CHUNKS), 3, 3, (0, buffiter_requests(CHUNKS) - 1)),
    "Concurrent/{}/clients:2": ledger(2, 1, 1),
    "Concurrent/{}/ping_callattr/clients:2": ledger(1, 0, 0),
}

# What programs do besides calls of methods; few modes have these rows.
OF_PROGRAMS = {
    "Latency/{}/getattr": ledger(1, 0, 0),
    "Latency/{}/getattr_missing": ledger(2, 0, 0),
    "Latency/{}/setattr": ledger(1, 0, 0),
    "Latency/{}/exception": ledger(2, 1, 1),
    # The method, its call and INSPECT, then __enter__ and __exit__. The method is released, and the
    # block, to which two references have come, by one request.
    "Latency/{}/with": (5, 5 + 2, 5 + 2, 0, 0, 3, 3),
    # Each object is fetched, inspected and asked; method, list, iterator and objects are released.
    "Objects/{}/attribute_each/10": ledger(2 + 2 + 3 * 10, 3 + 10, 3 + 10),
    "Objects/{}/buffiter/10": ledger(2 + 1 + buffiter_requests(10) + 2 * 10, 3 + 10, 3 + 10),
    "Objects/{}/obtain/10": ledger(3, 2, 2),
    "Objects/{}/by_value/10": ledger(2, 1, 1),
    "Callback/{}/calls:10": ledger(2 + 10, 2, 2),
}

SHORT = ("--benchmark_min_time=0", f"--file_bytes={FILE}", f"--chunk_bytes={CHUNK}", "--clients=2")


def rows_of(mode, *flags):
    types = "(Latency|BinaryTransfer|Concurrent|Connection)"
    return runs.measure(*SHORT, f"--benchmark_filter=^{types}/{mode}/", *flags)


class LedgerTest(unittest.TestCase):
    def check(self, mode, *flags):
        rows = rows_of(mode, *flags)
        found = {name: tuple(rows[name.format(mode)][counter] for counter in COUNTERS)
                 for name in EXPECTED}
        self.assertEqual(EXPECTED, found)

    def test_native_server_by_both_dialects(self):
        for dialect in ("5", "6"):
            with self.subTest(dialect=dialect):
                self.check("rpyc_threaded", f"--dialect={dialect}")

    def test_python_server(self):
        self.check("pyrpyc_threaded")

    def test_what_programs_do(self):
        for mode in ("rpyc_threaded", "pyrpyc_threaded"):
            rows = runs.measure(*SHORT, f"--benchmark_filter=^(Latency|Objects|Callback)/{mode}/")
            found = {name: tuple(rows[name.format(mode)][counter] for counter in COUNTERS)
                     for name in OF_PROGRAMS}
            self.assertEqual(OF_PROGRAMS, found, mode)

    def test_pipelined_calls_are_a_round_trip_each(self):
        rows = runs.measure(*SHORT, "--benchmark_filter=^Pipelined/")
        self.assertEqual({10}, {row["round_trips"] for row in rows.values()}, rows.keys())

    def test_any_number_of_calls_gives_whole_numbers(self):
        rows = rows_of("rpyc_forking", "--benchmark_min_time=0.02")
        for name, row in rows.items():
            for counter in COUNTERS:
                self.assertEqual(int(row[counter]), row[counter], (name, counter))

    def test_other_protocols_have_no_frames(self):
        for name, row in rows_of("http_threaded").items():
            self.assertEqual(1, row["round_trips"], name)
            self.assertEqual(set(), set(COUNTERS[1:]) & set(row), name)

    @runs.needs_ledger
    def test_the_calls_of_split_writes_are_counted_as_split(self):
        """A message in two pieces is two sends of one end and two receives of the other."""
        rows = runs.measure(
            *SHORT, "--preset=full", "--ledger",
            "--benchmark_filter=SocketPolicy/tcp_threaded/nodelay:both/.*/echo/1024/")
        calls = {name.split("/")[3]: (row["client_syscalls"], row["server_syscalls"])
                 for name, row in rows.items()}
        self.assertEqual((2, 2), calls["joined"])
        self.assertEqual((4, 4), calls["split"])

    def test_csv_has_a_column_for_each(self):
        done = runs.run(*SHORT, "--benchmark_format=csv",
                        "--benchmark_filter=^Latency/rpyc_threaded/ping/")
        [row] = csv.DictReader(io.StringIO(done.stdout[done.stdout.index("name,"):]))
        self.assertEqual(EXPECTED["Latency/{}/ping"],
                         tuple(float(row[counter]) for counter in COUNTERS))


if __name__ == "__main__":
    unittest.main()
