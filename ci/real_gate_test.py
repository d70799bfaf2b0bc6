"""Gates of the real programs: `real_gate_test.py <build tree> [class or test]…`.

It covers the exact tier, which no noise reaches, and the timing tier where the difference is too large to
miss. It does not test how well small differences are found; ci/proof measures that.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

BUILD = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else ""

# pylint: disable=wrong-import-position
from gate_test_case import HERE, GateTest
from gating.settings import load as settings_in
from testing.watching import PATIENCE, await_end, descendants, wait_until


class RealBuilds(GateTest):
    """Prepares one build, and the same build with a server that costs more by a known amount."""

    ROWS = "--rows=^Latency/(tcp|rpyc|http)_threaded/(ping|echo/1024)/"

    def setUp(self):
        super().setUp()
        self.config = self.changed("gate.toml", r"(?s)^instructions = \[.*?\]", "")

    def changed(self, name, pattern, text):
        """Writes a copy of one of this folder's configurations with the pattern replaced; returns its path."""
        changed, count = re.subn(pattern, text, (HERE / name).read_text(), flags=re.MULTILINE)
        self.assertEqual(count, 1)
        return self.write("changed.toml", changed)


class ExactTier(RealBuilds):
    def test_no_exact_figure_differs_from_itself(self):
        code, out, err = self.gate(f"--base={BUILD}", f"--head={BUILD}", "--tier=exact", self.ROWS)
        self.assertEqual(code, 0, out + err)
        self.assertEqual(self.document()["exact"]["rows"], 6)
        self.assertGreaterEqual(self.document()["exact"]["figures"], 6 * 9)

    def test_exact_injections_are_caught_in_every_row(self):
        for inject, figure in (("syscall", "server_syscalls"), ("alloc", "server_allocations")):
            with self.subTest(inject=inject):
                code, _, err = self.gate(f"--base={BUILD}", "--tier=exact", f"--inject={inject}", self.ROWS)
                self.assertEqual(code, 1, err)
                changes = [change for change in self.document()["exact"]["changes"]
                           if change["figure"] == figure]
                self.assertEqual(len(changes), 6)
                for change in changes:
                    self.assertEqual(change["new"], change["old"] + 1, change)

    def test_a_byte_more_on_the_wire_where_there_is_room_for_it(self):
        code, _, err = self.gate(f"--base={BUILD}", "--tier=exact", "--inject=bytes", "--rows=_threaded/ping/")
        self.assertEqual(code, 1, err)
        changed = {change["row"] for change in self.document()["exact"]["changes"]
                   if change["figure"] == "wire_bytes_in" and change["new"] == change["old"] + 1}
        self.assertEqual(changed, {f"Latency/{mode}_threaded/ping/real_time" for mode in ("rpyc", "http")})

    def test_instructions_of_an_allocation(self):
        self.config = HERE / "gate.toml"
        code, _, err = self.gate(f"--base={BUILD}", "--tier=exact", "--inject=alloc",
                                 "--rows=^Latency/tcp_threaded/ping/")
        self.assertEqual(code, 1, err)
        self.assertIn("server_instructions",
                      [change["figure"] for change in self.document()["exact"]["changes"]])

    def test_every_part_of_the_configurations_applies_to_rows(self):
        listed = subprocess.run([os.path.join(BUILD, "bench_all"), "--benchmark_list_tests"], check=True,
                                capture_output=True, text=True, timeout=PATIENCE).stdout.split()
        for name in ("gate.toml", "gate.short.toml"):
            settings = settings_in(HERE / name)
            settings.check_rows(listed)
            self.assertTrue(settings.is_exact(settings.control))
            with self.subTest("a rule sees what spares the fastest calls", policy=name):
                self.assertIn(("real_time", "mean"), {(rule.statistic, rule.of_slots) for rule in settings.timing})


class TimingTier(RealBuilds):
    def test_twice_the_time_is_slower(self):
        self.config = self.changed("gate.toml", "^timing_seconds = .*", "slots = 2")
        code, _, err = self.gate(f"--base={BUILD}", "--tier=timing", "--inject=spin:100%",
                                 "--rows=^Latency/tcp_threaded/ping/")
        self.assertIn(code, (1, 4), err)  # 4 if the machine is busy
        row = self.document()["timing"]["rows"][0]
        self.assertEqual(row["verdict"], "regression", row)

    def test_all_default_rows_can_be_timed(self):
        self.config = self.changed("gate.toml", "^timing_seconds = .*", "max_blocks = 1\nslots = 2")
        code, _, err = self.gate(f"--base={BUILD}", f"--head={BUILD}", "--tier=timing")
        self.assertIn(code, (3, 4), err)
        self.assertGreater(len(self.document()["timing"]["rows"]), 50)
        self.assertEqual({row["blocks"] for row in self.document()["timing"]["rows"]}, {1})

    def test_calibration_against_a_relinked_build(self):
        code, _, err = self.gate(f"--base={BUILD}", "--calibrate", "--relink", "--blocks=3", "--gates=50",
                                 "--rows=^Latency/tcp_threaded/ping/")
        self.assertIn(code, (0, 4), err)
        found = self.document("calibration.json")
        self.assertTrue(found["relinked"])
        self.assertEqual([(row["statistic"], row["blocks"]) for row in found["rows"]],
                         [("p10_us", 3), ("real_time", 3)])

    def test_an_interrupted_gate_leaves_no_server(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(signal=number):
                gate = self.start(f"--base={BUILD}", f"--head={BUILD}", "--tier=timing", self.ROWS)
                begun = set()

                def servers_run():
                    begun.update(pid for pid in descendants(gate.pid) if "bench_server" in command_of(pid))
                    return begun

                wait_until(servers_run, "a server of the gate")
                gate.send_signal(number)
                gate.communicate(timeout=PATIENCE)
                await_end(*begun)
                self.assertEqual(self.left(), set())


def command_of(process):
    try:
        return pathlib.Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


if __name__ == "__main__":
    unittest.main()
