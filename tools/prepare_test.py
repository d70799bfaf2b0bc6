"""tools/prepare.sh, with a cmake that only says when it begins and ends: `prepare_test.py`."""

import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 60  # seconds
CMAKE = """#!/bin/bash
echo begin >> {log}
sleep 0.1  # so that others have the time to come between
echo end >> {log}
"""


class BuildTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="a clone ")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in ("tools", "bin"):
            (self.root / name).mkdir()
        shutil.copy(HERE / "prepare.sh", self.root / "tools")
        (self.root / "CMakeLists.txt").touch()
        self.log = self.root / "log"
        cmake = self.root / "bin" / "cmake"
        cmake.write_text(CMAKE.format(log=shlex.quote(str(self.log))))
        cmake.chmod(0o755)

    def start(self, then, stdin=subprocess.DEVNULL):
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c",
             f"source tools/prepare.sh; build OFF bench_all; {then}"],
            cwd=self.root, env={**os.environ, "PATH": path}, stdin=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_builds_in_one_tree_take_turns(self):
        builds = [self.start(":") for _ in range(3)]
        said = [build.communicate(timeout=PATIENCE)[1] for build in builds]
        self.assertEqual([build.returncode for build in builds], [0, 0, 0], said)
        lines = self.log.read_text().split()
        self.assertGreaterEqual(len(lines), 6)
        self.assertEqual(lines, ["begin", "end"] * (len(lines) // 2))
        self.assertTrue(any("waiting for another build" in text for text in said), said)

    def test_a_program_that_runs_holds_up_no_build(self):
        running = self.start("echo built; read -r", subprocess.PIPE)
        self.assertEqual(running.stdout.readline(), "built\n")
        other = self.start(":")
        other.communicate(timeout=PATIENCE)
        self.assertEqual(other.returncode, 0)
        running.communicate("end\n", timeout=PATIENCE)
        self.assertEqual(running.returncode, 0)


if __name__ == "__main__":
    unittest.main()
