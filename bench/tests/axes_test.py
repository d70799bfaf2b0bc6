"""Tests how the rows of an axis differ: `axes_test.py bench_all`.

Effects are large (a stall of 40 ms, an extra connection) or exact (counters, bytes on the wire).
Times are compared within one run, with room for a busy machine.
"""

import functools
import re
import unittest

from testing import runs


@functools.cache
def measure(pattern, *flags, seconds=0.01):
    """Returns the rows of a short run of the preset `full`, by name."""
    return runs.measure("--preset=full", "--ledger=false", f"--benchmark_min_time={seconds}",
                        f"--benchmark_filter={pattern}", *flags)


class SocketPolicyTest(unittest.TestCase):
    STALL = 40_000  # µs, the kernel's shortest delayed acknowledgement

    def rows_of(self, mode):
        rows = measure(f"SocketPolicy/{mode}/", seconds=0.05)
        self.assertEqual(12, len(rows))
        return {tuple(name.removeprefix(f"SocketPolicy/{mode}/nodelay:").split("/")[:2]): row
                for name, row in rows.items()}

    def assert_stalls(self, row, stalls):
        """Expects this number of 40 ms stalls; a busy machine or an early wait may add time."""
        self.assertGreater(row["p50_us"], self.STALL * (stalls - 1 / 2), row["name"])

    def test_split_writes_stall_where_nagle_is_left_on(self):
        for mode in ("tcp_threaded", "http_threaded"):
            rows = self.rows_of(mode)
            for (ends, writes), row in rows.items():
                with self.subTest(row=row["name"]):
                    if writes != "split" or ends == "both":
                        # It takes about 20 µs on a quiet machine.
                        self.assertLess(row["p50_us"], self.STALL / 2)
                    else:
                        self.assert_stalls(row, 2 if ends == "none" else 1)
            none = rows["none", "split"]["p50_us"]
            for better in (("none", "joined"), ("none", "corked"), ("both", "split")):
                self.assertGreater(none, 4 * rows[better]["p50_us"], better)

    def test_rpyc_stalls_in_both_round_trips(self):
        rows = self.rows_of("rpyc_threaded")
        for (ends, writes), row in rows.items():
            with self.subTest(row=row["name"]):
                self.assertEqual(2, row["round_trips"])
                if writes != "split" or ends == "both":
                    self.assertLess(row["p50_us"], self.STALL / 2)
                else:
                    self.assertGreater(row["p50_us"], 0.9 * self.STALL)
        self.assertGreater(rows["none", "split"]["p50_us"], 2 * self.STALL)

    def test_python_s_own_writes_stall(self):
        rows = measure("SocketPolicy/pyrpyc_threaded/")
        self.assertEqual({"none", "client"},
                         {re.search("nodelay:([a-z]+)/as_library", name)[1] for name in rows})
        for row in rows.values():
            self.assertGreater(row["p50_us"], 0.9 * self.STALL, row["name"])


class AddressFamilyTest(unittest.TestCase):
    def test_each_family_has_the_same_calls(self):
        rows = measure("AddressFamily/")
        for mode in ("tcp_threaded", "rpyc_threaded", "http_threaded"):
            for call in ("ping", "upload/65536"):
                trips = {rows[f"AddressFamily/{mode}/{family}/{call}"]["round_trips"]
                         for family in ("ipv4", "ipv6", "unix")}
                self.assertEqual({2 if mode == "rpyc_threaded" else 1}, trips, (mode, call))

    def test_http_names_the_host_it_talks_to(self):
        rows = measure("AddressFamily/")
        request = len("GET /ping HTTP/1.1\r\nHost: \r\n\r\n")
        for family, host in (("ipv4", "127.0.0.1:12345"), ("ipv6", "[::1]:12345"),
                             ("unix", "localhost")):
            out = rows[f"AddressFamily/http_threaded/{family}/ping"]["wire_bytes_out"]
            self.assertLessEqual(abs(request + len(host) - out), 0 if family == "unix" else 1)


class TransportTest(unittest.TestCase):
    def test_each_transport_has_the_same_calls(self):
        rows = measure("Transport/(tcp|rpyc|http)_threaded/")
        for mode in ("tcp_threaded", "rpyc_threaded", "http_threaded"):
            for call in ("ping", "upload/65536"):
                found = {transport: rows[f"Transport/{mode}/{transport}/{call}"]
                         for transport in ("tcp", "unix", "tls", "tls_1_2")}
                self.assertEqual({2 if mode == "rpyc_threaded" else 1},
                                 {row["round_trips"] for row in found.values()}, (mode, call))
                # A record of TLS has a head and a tag.
                for transport in ("tls", "tls_1_2"):
                    self.assertGreater(found[transport]["wire_bytes_out"], found["tcp"]["wire_bytes_out"] + 20)
                for transport, row in found.items():
                    told = re.search(r"transport=(\w+)", row["label"])
                    self.assertEqual(None if transport == "tcp" else transport, told and told[1])

    def test_a_resumed_handshake_moves_fewer_bytes(self):
        rows = measure("Transport/(tcp|rpyc|http)_threaded/")
        for mode in ("tcp_threaded", "rpyc_threaded", "http_threaded"):
            for version in ("tls", "tls_1_2"):
                whole, resumed = (rows[f"Transport/{mode}/{version}/{name}"]
                                  for name in ("connect", "connect_resumed"))
                self.assertLess(resumed["wire_bytes_in"], whole["wire_bytes_in"] - 300, (mode, version))

    def test_the_context_says_what_tls_agreed_on(self):
        agreed = r"^TLSv1\.{}, .*AES.*GCM.*, .+, certificate P-256$"
        for row, flags, versions in (("Transport/tcp_threaded/tls/ping", (), ("tls",)),
                                     ("Transport/tcp_threaded/(tls|tls_1_2)/ping", (), ("tls", "tls_1_2")),
                                     ("Latency/tcp_threaded/ping", ("--transport=tls_1_2",), ("tls_1_2",)),
                                     ("Latency/tcp_threaded/ping", (), ())):
            with self.subTest(row=row, flags=flags):
                context = runs.report_of(f"--benchmark_filter={row}/", "--preset=full", "--requests=10",
                                    "--benchmark_min_time=0", "--no_pairs", *flags)[1]["context"]
                self.assertEqual(list(versions), [key for key in ("tls", "tls_1_2") if key in context])
                for key in versions:
                    self.assertRegex(context[key], agreed.format(3 if key == "tls" else 2))
                self.assertRegex(context["openssl_version"], r"^\d+\.\d+\.\d+")

    def test_a_tls_connection_takes_more_memory(self):
        rows = measure("Transport/(rpyc|http)_threaded/(tcp|tls)/connect/", seconds=0.1)
        for mode in ("rpyc_threaded", "http_threaded"):
            plain, tls = (rows[f"Transport/{mode}/{transport}/connect"]["server_kib_per_connection"]
                          for transport in ("tcp", "tls"))
            self.assertGreater(tls, plain + 30, mode)

    def test_all_rows_can_use_tls(self):
        rows = measure("^(Py)?Latency/(tcp|rpyc|http|pyrpyc|flask)_threaded/ping/", "--transport=tls")
        self.assertEqual(9, len(rows))
        for row in rows.values():
            self.assertIn(" transport=tls", row["label"])


class ConnectionReuseTest(unittest.TestCase):
    def test_connections_a_request(self):
        rows = measure("ConnectionReuse/")
        self.assertEqual(12, len(rows))
        for name, row in rows.items():
            with self.subTest(row=name):
                kept = name.endswith("/kept")
                self.assertEqual(0 if kept else 1, row["connections"])
                # A new connection of RPyC first asks for the root.
                rpyc = 2 if kept else 3
                self.assertEqual(rpyc if "rpyc" in name else 1, row["round_trips"])

    def test_a_connection_costs_more_than_a_ping(self):
        rows = measure("ConnectionReuse/")
        for mode in ("tcp_forking", "rpyc_forking", "http_forking"):
            kept, own = (rows[f"ConnectionReuse/{mode}/{way}"]["p50_us"]
                         for way in ("kept", "one_a_request"))
            self.assertGreater(own, 1.5 * kept, mode)


class BodyStyleTest(unittest.TestCase):
    SIZE, CHUNK = 65_536, 10_000

    def test_each_style_has_its_bytes_on_the_wire(self):
        rows = measure(f"BodyStyle/.*/{self.SIZE}/", f"--chunk_bytes={self.CHUNK}")
        sizes = [self.CHUNK] * (self.SIZE // self.CHUNK) + [self.SIZE % self.CHUNK]
        chunked = sum(len(f"{size:x}\r\n\r\n") + size for size in sizes) + len("0\r\n\r\n")
        document = len('{"chunks":[]}') + 2 * self.SIZE + len('"",') * len(sizes) - 1
        for mode in ("http_threaded", "http_async"):
            for style, body in (("raw", self.SIZE), ("chunked", chunked), ("hex_json", document)):
                for way, counter in (("upload", "wire_bytes_out"), ("download", "wire_bytes_in")):
                    row = rows[f"BodyStyle/{mode}/{style}/{way}/{self.SIZE}"]
                    with self.subTest(row=row["name"]):
                        head = row[counter] - body  # start line and fields
                        self.assertGreater(head, 0)
                        self.assertLess(head, 200)
                        self.assertEqual(style != "raw",
                                         f"chunk_bytes={self.CHUNK}" in row["label"].split())


class CompressionTest(unittest.TestCase):
    def test_a_row_s_label_tells_its_own_conditions(self):
        rows = measure("Compression/", "--payload=text", "--compression=off")
        self.assertEqual(36, len(rows))
        for name, row in rows.items():
            _, _, kind, setting, _ = name.split("/")
            self.assertIn(f"payload={kind}", row["label"].split(), name)
            self.assertIn(f"compression={setting.replace('_', ':')}", row["label"].split(), name)

    def test_what_is_compressed_and_what_it_gains(self):
        above = {"python": 3_000, "off": float("inf"), "threshold_65536": 65_536}
        for name, row in measure("Compression/").items():
            _, _, kind, setting, size = name.split("/")
            size = int(size)
            with self.subTest(row=name):
                # The message is a little longer than its payload.
                compressed = size + 20 > above[setting]
                self.assertEqual(int(compressed), row["compressed_frames_out"])
                if compressed and kind != "random":
                    self.assertLess(row["wire_bytes_out"], size / 2 + 300)
                else:
                    self.assertGreater(row["wire_bytes_out"], size)


class ChunkSizeTest(unittest.TestCase):
    FILE = 16_777_216

    def test_smaller_chunks_are_more_of_them(self):
        rows = measure("ChunkSize/")
        self.assertEqual(30, len(rows))
        for name, row in rows.items():
            with self.subTest(row=name):
                _, mode, _, chunk = name.split("/")
                chunks = self.FILE // int(chunk.removeprefix("chunk:"))
                # GETATTR and CALL; __iter__ and the end; one request for each chunk.
                expected = 4 + chunks if mode == "rpyc_threaded" else 1
                self.assertEqual(expected, row["round_trips"])
                self.assertIn(f"file_bytes={self.FILE}", row["label"].split())


if __name__ == "__main__":
    unittest.main()
