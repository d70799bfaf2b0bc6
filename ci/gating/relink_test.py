"""Tests programs linked again in another order: `relink_test.py <build tree>`.

They must work, hold the same functions in another order, and be identical for the same seed.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from gating import relink  # pylint: disable=wrong-import-position

BUILD = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None
PATIENCE = 120  # seconds


def functions(program):
    """Returns the project's functions in the order of their addresses."""
    lines = subprocess.run(["nm", "-n", "--defined-only", program], capture_output=True, text=True,
                           timeout=PATIENCE, check=True).stdout.splitlines()
    return [name for _, kind, name in (line.split(maxsplit=2) for line in lines)
            if kind == "T" and "9rpycbench" in name]


class RelinkTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        for name, seed in (("first", 1), ("again", 1), ("second", 2)):
            relink.relink(BUILD, cls.folder / name, seed)

    def test_the_same_functions_in_another_order(self):
        for program in relink.PROGRAMS:
            before = functions(BUILD / program)
            self.assertGreater(len(before), 100)
            orders = {tuple(before)}
            for name in ("first", "second"):
                after = functions(self.folder / name / program)
                self.assertEqual(sorted(before), sorted(after))
                orders.add(tuple(after))
            self.assertEqual(3, len(orders), program)

    def test_archives_are_taken_apart(self):
        # Functions that were neighbours in an archive no longer are.
        order = functions(self.folder / "first" / "bench_server")
        layers = ["3net" in name for name in order if "3net" in name or "4rpyc" in name]
        changes = sum(a != b for a, b in zip(layers, layers[1:]))
        self.assertGreater(changes, 3)

    def test_the_same_seed_gives_the_same_bytes(self):
        for program in relink.PROGRAMS:
            self.assertEqual((self.folder / "first" / program).read_bytes(),
                             (self.folder / "again" / program).read_bytes(), program)

    def test_they_work_with_all_that_stands_beside_them(self):
        program = self.folder / "first" / "bench_all"
        done = subprocess.run([program, "--benchmark_filter=^Latency/(tcp|rpyc|http)_async/ping/",
                               "--benchmark_min_time=0", "--benchmark_format=json", "--ledger"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        rows = json.loads(done.stdout)["benchmarks"]
        self.assertEqual(3, len(rows))
        for row in rows:
            self.assertNotIn("error_message", row)
            self.assertEqual((BUILD / "allocation_count.so").exists(), "server_allocations" in row)

    def test_what_is_no_build_tree_is_said(self):
        with self.assertRaisesRegex(relink.RelinkError, "^ninja in .*first exited with 1"):
            relink.relink(self.folder / "first", self.folder / "none", 1)
        with self.assertRaisesRegex(relink.RelinkError, "^cannot run ninja in .*/lost: "):
            relink.relink(self.folder / "lost", self.folder / "none", 1)


if __name__ == "__main__":
    if BUILD is None:
        sys.exit("usage: relink_test.py <build tree>")
    unittest.main()
