"""Tests gates of git revisions, in repositories made for the purpose: `revisions_test.py`.

The repositories have this folder's gate, and a tools/bench_all that "builds" a script with a known number of system
calls. The tests thus cover how revisions become build trees, and how ci/gate_commit treats a verdict. Most gates run in
this process, as if they were the repository's.
"""

import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import unittest
from unittest import mock

from gating.locks import held
from gating.main import main
from testing.folder_test_case import FolderTestCase
from testing.in_process import run_in_process
from testing.watching import PATIENCE, await_end, wait_until

HERE = pathlib.Path(__file__).resolve().parent

BENCH_ALL = '''#!/bin/bash
case " $* " in
  *" --version "*) echo fake ;;
  *" --benchmark_list_tests "*) echo Latency/tcp_threaded/ping/real_time ;;
  *) while read -r name; do
       echo '{"context": {"suite_build_type": "Release"}, "benchmarks": [{"name": "'"$name"'", "label": "",' \
         '"time_unit": "us", "real_time": 1.0, "ledger_exact": 1, "server_syscalls": SYSCALLS}]}'
     done ;;
esac
'''

OF_ANOTHER_USER = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}

BUILD = '''#!/bin/bash
set -e
cd "$(dirname "$0")/.."
echo built >> build.log
if [[ -e slow ]]; then sleep 1000 & echo $! > ../../../../../sleeper; wait; fi
mkdir -p build/release
cp bench_all bench_server build/release
'''


class Repository(FolderTestCase):
    def setUp(self):
        super().setUp()
        self.root = self.folder / "project"
        self.root.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        shutil.copytree(HERE, self.root / "ci", ignore=shutil.ignore_patterns("__pycache__"))
        (self.root / "ci" / "gate.short.toml").write_text("exact = '.'\nacknowledged = 'acknowledged.toml'\n")
        shutil.copytree(HERE.parent / "tools" / "common", self.root / "tools" / "common",
                        ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(HERE.parent / "tools" / "prepare.sh", self.root / "tools")
        self.program("project/tools/bench_all", BUILD)
        self.program("project/bench_server", "")
        (self.root / "CMakeLists.txt").touch()  # an installation has none
        (self.root / ".gitignore").write_text("/build/\n__pycache__/\n/build.log\n")

    def git(self, *arguments, root=None):
        return subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=root or self.root,
            capture_output=True, text=True, check=True).stdout.strip()

    def change(self, syscalls):
        self.program("project/bench_all", BENCH_ALL.replace("SYSCALLS", str(syscalls)))

    def commit(self, syscalls, **files):
        """Commits a state whose calls make this number of system calls; returns the commit's name."""
        self.change(syscalls)
        for name, text in files.items():
            (self.root / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={syscalls}")
        return self.git("rev-parse", "HEAD")

    def run_in(self, root, *command):
        done = subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        return done.returncode, done.stdout, done.stderr

    def gate(self, *arguments):
        """Runs the repository's gate in this process; returns (exit status, stdout, stderr)."""
        with mock.patch("gating.main.REPOSITORY", str(self.root)):
            done = run_in_process(lambda: main(sys.argv[1:]), "--config=ci/gate.short.toml",
                                  "--out=build/gate/result", *arguments, folder=self.root)
        return done.returncode, done.stdout, done.stderr

    def gate_process(self, *arguments):
        """Runs the gate in a process of its own."""
        return self.run_in(self.root, "ci/gate", "--config=ci/gate.short.toml", *arguments)

    def trees(self):
        folder = self.root / "build" / "gate" / "trees"
        return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []


class Revisions(Repository):
    def test_two_revisions(self):
        first, second = self.commit(2), self.commit(3)
        self.commit(9)
        code, out, err = self.gate_process(f"--base={first}", "--head=HEAD~1")
        self.assertEqual(code, 1, err)
        self.assertIn("2.0 → 3.0", out)
        self.assertEqual(self.trees(), sorted([first[:12], second[:12]]))
        self.assertEqual(self.git("status", "--porcelain"), "")

    def test_the_working_tree_is_the_head_unless_told_otherwise(self):
        first = self.commit(2)
        self.change(4)
        code, out, _ = self.gate("--base=HEAD")
        self.assertEqual(code, 1)
        self.assertIn("2.0 → 4.0", out)
        self.assertEqual(self.trees(), [first[:12]])

    def test_the_working_tree_s_own_build_as_the_base(self):
        """The base is copied before the head is built in the same place."""
        self.commit(2)
        self.run_in(self.root, "tools/bench_all")
        self.change(4)
        code, out, err = self.gate("--base=build/release")
        self.assertEqual(code, 1, err)
        self.assertIn("2.0 → 4.0", out)

    def test_a_work_tree_serves_again_and_a_broken_one_is_made_anew(self):
        base = self.commit(2)
        tree = self.root / "build" / "gate" / "trees" / base[:12]
        self.assertEqual(self.gate("--base=HEAD")[0], 0)
        self.assertEqual(self.gate("--base=HEAD")[0], 0)
        self.assertEqual((tree / "build.log").read_text(), "built\nbuilt\n")
        shutil.rmtree(tree)
        self.assertEqual(self.gate("--base=HEAD")[0], 0)
        (tree / ".git").unlink()
        (tree / "tools" / "bench_all").unlink()
        code, _, err = self.gate("--base=HEAD")
        self.assertEqual(code, 0, err)

    def test_a_checkout_of_another_user(self):
        first, second = self.commit(2), self.commit(3)
        with mock.patch.dict("os.environ", OF_ANOTHER_USER):
            code, out, err = self.gate(f"--base={first}", f"--head={second}")
        self.assertEqual((code, err.count("safe.directory")), (1, 0), err)
        self.assertIn("2.0 → 3.0", out)

    def test_few_work_trees_are_kept(self):
        commits = [self.commit(2) for _ in range(8)]
        for commit in commits:
            code, _, err = self.gate(f"--base={commit}")
            self.assertEqual(code, 0, err)
        self.assertEqual(self.trees(), sorted(commit[:12] for commit in commits[-6:]))
        self.assertEqual(self.gate(f"--base={commits[0]}")[0], 0)

    def test_an_acknowledged_change_counts_once(self):
        """A change from 2 to 3 with a reason, back to 2, and to 3 again: the last needs a new reason."""
        entry = '[[change]]\nrow = "Latency/*"\nfigure = "server_syscalls"\nold = {}\nnew = {}\nwhy = "{}"\n'
        first = self.commit(2)
        once = entry.format(2, 3, "a log")
        second = self.commit(3, **{"ci/acknowledged.toml": once})
        self.assertEqual(self.gate(f"--base={first}", f"--head={second}")[0], 0)
        twice = once + entry.format(3, 2, "no log")
        third = self.commit(2, **{"ci/acknowledged.toml": twice})
        self.assertEqual(self.gate(f"--base={second}", f"--head={third}")[0], 0)
        fourth = self.commit(3)
        self.assertEqual(self.gate(f"--base={third}", f"--head={fourth}")[0], 1)
        self.assertIn("give a new reason", (self.root / "build/gate/result/SUMMARY.md").read_text())
        fifth = self.commit(3, **{"ci/acknowledged.toml": twice + entry.format(2, 3, "a log, again")})
        self.assertEqual(self.gate(f"--base={third}", f"--head={fifth}")[0], 0)
        self.git("checkout", "--quiet", first)  # the heads' own files count, not the working tree's
        self.assertEqual(self.gate(f"--base={third}", f"--head={fifth}")[0], 0)
        self.assertEqual(self.gate(f"--base={third}", f"--head={fourth}")[0], 1)

    def test_two_gates_at_once(self):
        """They wait for each other, wherever they write; a gate with the same folder is refused."""
        first, second = self.commit(2), self.commit(3)
        gates = [subprocess.Popen(["ci/gate", "--config=ci/gate.short.toml", f"--base={first}", f"--head={second}",
                                   f"--out={self.folder / out}"], cwd=self.root,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
                 for out in ("one", "two", self.root / "build" / "gate")]
        for gate in gates:
            _, err = gate.communicate(timeout=PATIENCE)
            self.assertEqual(gate.returncode, 1, err)
        self.assertEqual(self.trees(), sorted([first[:12], second[:12]]))
        with held(self.folder / "one", self.fail):
            code, _, err = self.gate(f"--base={first}", f"--out={self.folder / 'one'}")
        self.assertEqual(code, 2)
        self.assertIn("another gate", err)
        self.assertTrue((self.folder / "one" / "SUMMARY.md").exists())

    def test_what_is_missing_is_listed_or_installed(self):
        self.commit(2)
        fake = self.folder / "bin"
        fake.mkdir()
        for name in ("bash", "dirname", "readlink", "grep", "sed", "sort", "head", "tail", "paste", "tr", "cat", "env"):
            (fake / name).symlink_to(shutil.which(name))
        self.program("bin/apt-get", f'echo "$@" >> {shlex.quote(str(self.folder / "apt"))}')
        self.program("bin/apt-cache", "echo '  Candidate: 1'")
        commands = [["ci/gate", "--base=HEAD", *flags] for flags in (["--no-install"], [])]
        listed, _ = (subprocess.run(command, cwd=self.root, env={"PATH": str(fake)}, stdin=subprocess.DEVNULL,
                                    capture_output=True, text=True, timeout=PATIENCE, check=False)
                     for command in commands)
        self.assertEqual((listed.returncode, listed.stdout), (2, ""))
        self.assertIn("gate: missing: git", listed.stderr)
        self.assertRegex((self.folder / "apt").read_text(), "(?m)^install .*git")

    def test_a_build_that_fails(self):
        self.program("project/tools/bench_all", "echo first >&2\necho 'no compiler' >&2\nexit 1")
        self.commit(2)
        code, out, err = self.gate("--base=HEAD")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("no compiler", err.splitlines()[-1])
        self.assertIn("release.log", err.splitlines()[-1])

    def test_an_interrupted_build_ends(self):
        self.commit(2, slow="")
        gate = subprocess.Popen(["ci/gate", "--base=HEAD"], cwd=self.root, stderr=subprocess.DEVNULL)
        sleeper = self.folder / "sleeper"
        wait_until(lambda: sleeper.exists() and sleeper.read_text().strip(), "the build")
        gate.send_signal(signal.SIGTERM)
        self.assertEqual(gate.wait(PATIENCE), 128 + signal.SIGTERM)
        await_end(int(sleeper.read_text()))


class CommitsInTurn(Repository):
    def gate_commit(self, root=None):
        return self.run_in(root or self.root, "ci/gate_commit")

    def test_against_the_commit_before(self):
        self.commit(2)
        self.commit(2)
        code, out, err = self.gate_commit()
        self.assertEqual(code, 0, err)
        self.assertIn("pass", out)
        self.commit(3)
        code, out, _ = self.gate_commit()
        self.assertEqual(code, 1)
        self.assertIn("# Gate: regression", out)

    def test_a_checkout_of_another_user(self):
        self.commit(2)
        self.commit(3)
        with mock.patch.dict("os.environ", OF_ANOTHER_USER):
            code, out, err = self.gate_commit()
        self.assertEqual(code, 1, err)
        self.assertIn("# Gate: regression", out)

    def test_against_where_the_branch_began(self):
        start = self.commit(2)
        self.git("update-ref", "refs/remotes/origin/main", start)
        self.commit(3)
        self.commit(3)
        self.assertEqual(self.gate_commit()[0], 1)

    def test_what_cannot_be_gated_is_passed_over(self):
        (self.root / "ci" / "gate_commit").rename(self.folder / "gate_commit")
        self.commit(2)
        (self.folder / "gate_commit").rename(self.root / "ci" / "gate_commit")
        self.commit(3)
        code, out, _ = self.gate_commit()
        self.assertEqual(code, 0)
        self.assertIn("older than the gate", out)

    def test_the_first_commit_has_none_before_it(self):
        self.commit(2)
        code, out, _ = self.gate_commit()
        self.assertEqual(code, 0)
        self.assertIn("first commit", out)

    def test_a_commit_before_that_was_not_fetched(self):
        self.commit(2)
        self.commit(3)
        clone = self.folder / "clone"
        self.git("clone", "--quiet", "--depth=1", f"file://{self.root}", str(clone))
        code, out, _ = self.gate_commit(clone)
        self.assertEqual(code, 1)
        self.assertIn("not fetched", out)

    def test_statuses(self):
        for status, expected in ((0, 0), (1, 1), (2, 1), (3, 0), (4, 0), (127, 1), (137, 1)):
            with self.subTest(status=status):
                self.program("project/ci/gate", f"exit {status}")
                self.commit(2)
                self.commit(2)
                self.assertEqual(self.gate_commit()[0], expected)


if __name__ == "__main__":
    unittest.main()
