"""Tests tools/prepare.sh, with a cmake that only logs when it begins and ends: `prepare_test.py`."""

import os
import pathlib
import shlex
import shutil
import subprocess
import unittest

from testing.folder_test_case import FolderTestCase

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 60  # seconds
CMAKE = """#!/bin/bash
echo begin >> {log}
sleep 0.1  # so that others have time to intervene
echo end >> {log}
"""


class CloneTest(FolderTestCase):
    """Has a clone without sources; the programs in its folder `bin` come first in PATH."""

    PROGRAM = "bash"

    def setUp(self):
        super().setUp()
        for name in ("tools", "bin"):
            (self.folder / name).mkdir()
        shutil.copy(HERE / "prepare.sh", self.folder / "tools")
        (self.folder / "CMakeLists.txt").touch()

    def start(self, command, stdin=subprocess.DEVNULL, **environment):
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", f"source tools/prepare.sh; {command}"],
            cwd=self.folder, env={**os.environ, "PATH": path, **environment}, stdin=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class BuildTest(CloneTest):
    def setUp(self):
        super().setUp()
        self.log = self.folder / "log"
        self.program("bin/cmake", CMAKE.format(log=shlex.quote(str(self.log))))

    def build(self, then, *stdin):
        return self.start(f"build OFF bench_all; {then}", *stdin)

    def test_builds_in_one_tree_take_turns(self):
        builds = [self.build(":") for _ in range(3)]
        said = [build.communicate(timeout=PATIENCE)[1] for build in builds]
        self.assertEqual([build.returncode for build in builds], [0, 0, 0], said)
        lines = self.log.read_text().split()
        self.assertGreaterEqual(len(lines), 6)
        self.assertEqual(lines, ["begin", "end"] * (len(lines) // 2))
        self.assertTrue(any("waiting for another build" in text for text in said), said)

    def test_a_program_that_runs_holds_up_no_build(self):
        running = self.build("echo built; read -r", subprocess.PIPE)
        self.assertEqual(running.stdout.readline(), "built\n")
        other = self.build(":")
        other.communicate(timeout=PATIENCE)
        self.assertEqual(other.returncode, 0)
        running.communicate("end\n", timeout=PATIENCE)
        self.assertEqual(running.returncode, 0)


class EnvironmentTest(CloneTest):
    """Tests messages about the user's environment. Nothing is installed and nothing built."""

    def run_here(self, command, **environment):
        process = self.start(command, **environment)
        out, err = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def test_apt_may_speak_another_language(self):
        self.program("bin/apt-cache", "if [ \"$LC_ALL\" = C ]; then echo '  Candidate: 1.2'; "
                     "else echo '  Installationskandidat: 1.2'; fi")
        done = self.run_here("known_to_apt some-package", LC_ALL="", LANGUAGE="de")
        self.assertEqual(0, done.returncode, done.stderr)

    def test_of_many_boosts_the_oldest_that_serves_is_taken(self):
        """The list is read whole, so that its writer is not killed by a closed pipe."""
        self.program("bin/apt-cache", "case $1 in pkgnames) for n in 74 81 83 $(seq 84 99); do "
                     "echo libboost1.$n-dev; done ;; *) echo '  Candidate: (none)' ;; esac")
        for _ in range(20):
            done = self.run_here("boost_package")
            self.assertEqual((0, "libboost1.81-dev\n"), (done.returncode, done.stdout), done.stderr)

    def test_variables_that_let_nothing_be_found_are_named(self):
        for variable, value, words in (("CXX", "/nonexistent/c++", "no such compiler"),
                                       ("PYTHONHOME", "/nonexistent", "does not start with it")):
            done = self.run_here("ensure_packages no build", **{variable: value})
            self.assert_refused(done, f"{variable}={value}: ")
            self.assertIn(words, done.stderr)

    def test_a_compiler_that_finds_less_than_the_system_s_is_named(self):
        self.program("bin/lonely-c++", "exit 1")
        done = self.run_here("needs='x header:cstdio build'; ensure_packages no build", CXX="lonely-c++")
        self.assert_refused(done, "CXX=lonely-c++ does not find what c++ finds (x)")

    def test_a_folder_that_cannot_be_written_to(self):
        """Root can write everywhere, so the check is a fake."""
        closed = "mkdir() { return 1; }; "
        done = self.run_here(closed + "build OFF bench_all")
        self.assert_refused(done, "cannot be written to")
        (self.folder / "build" / "release").mkdir(parents=True)
        (self.folder / "build" / "release" / "bench_all").touch()
        done = self.run_here(closed + "build OFF bench_all; echo runs")
        self.assertEqual((0, "runs\n"), (done.returncode, done.stdout), done.stderr)
        self.assertIn("running what is built", done.stderr)


if __name__ == "__main__":
    unittest.main()
