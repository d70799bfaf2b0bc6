"""Installs the build, packs it, and uses both as their users do: `install_test.py <build>`.

What is installed runs from any folder and in an environment that knows nothing of the sources, even
after it has moved as a whole. It names neither sources nor build, and writes no other files.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCES = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None
SCIPY = SOURCES / "build/python/usr/lib/python3/dist-packages"  # unpacked by tools/compare --prepare
PATIENCE = 120  # seconds
FEW = ("--preset=quick", "--benchmark_min_time=0")  # flags that make few calls
PING, PYTHON_PING = "Latency/rpyc_threaded/ping", "Latency/pyrpyc_threaded/ping"
PROGRAMS = ("bench_all", "bench_server", "link", "sweep", "python_client", "report", "explain",
            "expectations", "ratio", "repeatability", "compare", "gate", "beside_wrk")


def run(*command, folder, **environment):
    """Runs a command in a folder, with almost no environment, and returns the finished process."""
    return subprocess.run(
        [*map(str, command)], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **environment}, timeout=PATIENCE,
        check=False)


def files_below(folder):
    return {path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}


class InstallationTestCase(unittest.TestCase):
    """Tests the installation below `prefix`; programs run in the folder `elsewhere`."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(
            tempfile.TemporaryDirectory(prefix="an installation ")))
        cls.prefix = cls.folder / "usr"
        cls.elsewhere = cls.folder / "elsewhere"
        cls.elsewhere.mkdir()

    def installed(self, program, *arguments, prefix=None, **environment):
        return run((prefix or self.prefix) / "bin" / program, *arguments, folder=self.elsewhere,
                   **environment)

    def output(self, *command, **more):
        done = self.installed(*command, **more)
        self.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout)
        return done.stdout

    def assert_refused(self, words, done):
        self.assertEqual((2, ""), (done.returncode, done.stdout), done.stderr)
        self.assertEqual(1, done.stderr.count("\n"), done.stderr)
        self.assertIn(words, done.stderr)

    def measure(self, *flags, name="results.json", **more):
        """Measures a row of a native server and one of a server in Python; returns the results' path."""
        path = self.elsewhere / name
        done = self.installed(
            "bench_all", *FEW, f"--benchmark_filter=^({PING}|{PYTHON_PING})/", "--ledger",
            f"--benchmark_out={path}", *flags, **more)
        self.assertEqual(0, done.returncode, done.stderr)
        rows = {row["name"]: row for row in json.loads(path.read_text())["benchmarks"]}
        self.assertEqual({f"{PING}/real_time", f"{PYTHON_PING}/real_time"}, set(rows))
        # The call ledger's library was found as well.
        self.assertIn("server_allocations", rows[f"{PING}/real_time"], done.stderr)
        return path


class PrefixTest(InstallationTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run(["cmake", "--install", BUILD, "--prefix", cls.prefix, "--strip"], check=True,
                       stdout=subprocess.DEVNULL)
        cls.files = files_below(cls.prefix)

    def tearDown(self):
        self.assertEqual(self.files, files_below(self.prefix))

    def measured(self):
        """Returns results that several tests read."""
        path = self.elsewhere / "before.json"
        return path if path.exists() else self.measure("--benchmark_min_time=0.02", name=path.name)

    def test_results_are_made_and_read(self):
        results = self.measured()
        found = json.loads(self.output("rpycbench", "expectations", "--json", results))["findings"]
        self.assertTrue(found)
        self.assert_refused("no floor row", self.installed("rpycbench", "explain", results))
        page = self.elsewhere / "report.html"
        self.output("rpycbench", "report", results, "-o", page)
        self.assertIn("pyrpyc_threaded", page.read_text())

    def test_a_sweep_uses_the_installed_programs(self):
        plan, results = self.elsewhere / "sweep.toml", self.elsewhere / "sweep.json"
        plan.write_text('modes = ["tcp_threaded"]\nmin_time = 0\n[[grid]]\n'
                        'rows = ["Latency/ping"]\npayload = ["text", "zeros"]\n')
        done = self.installed("rpycbench", "sweep", plan, "-o", results)
        self.assertEqual(0, done.returncode, done.stderr)
        found = json.loads(results.read_text())
        self.assertEqual(2, len(found["benchmarks"]))
        self.assertEqual({"bench_all", "bench_server"}, found["sweep"]["program"].keys())

    def test_stored_results_are_compared_and_gated(self):
        results = [self.measured(), self.measure("--benchmark_min_time=0.02", name="after.json")]
        done = self.installed("rpycbench", "compare", *results, PYTHONPATH=str(SCIPY))
        self.assertEqual(0, done.returncode, done.stderr)  # stderr names doubts
        self.assertIn(PING, done.stdout)
        done = self.installed("rpycbench", "gate", *results)
        self.assertEqual("", done.stderr)
        self.assertIn(done.returncode, (1, 3), done.stdout)  # a single repetition cannot pass
        summary = (self.elsewhere / "gate-result" / "SUMMARY.md").read_text()
        self.assertIn("rpycbench gate ", summary)

    def test_the_gate_takes_build_trees_only(self):
        self.assert_refused("HEAD: no build tree",
                            self.installed("rpycbench", "gate", "--base=HEAD"))

    def test_python_clients_find_servers_of_both_kinds(self):
        for mode in ("rpyc_threaded", "pyrpyc_threaded"):
            with self.subTest(mode=mode):
                self.assertIn(f"PyLatency/{mode}/ping", self.output(
                    "rpycbench", "python_client", f"--mode={mode}", "--requests=5",
                    "--filter=Latency/.*/ping/", "--out=python.json"))

    def test_what_is_missing_is_named_and_not_installed(self):
        called = self.elsewhere / "called"
        (self.elsewhere / "apt-get").write_text(f"#!/bin/sh\n: > '{called}'\n")
        (self.elsewhere / "apt-get").chmod(0o755)
        needed = {"matplotlib": ("report", "results.json", "-o", "report.html"),
                  "rpyc": ("python_client", "--mode=rpyc_threaded", "--out=results.json"),
                  "scipy": ("compare", "before.json", "after.json")}
        (self.elsewhere / "sitecustomize.py").write_text(
            f"import sys\nfor name in {list(needed)}:\n    sys.modules[name] = None\n")
        for package, command in needed.items():
            self.assert_refused(f"{command[0]}: missing: python3-{package}\n", self.installed(
                "rpycbench", *command, PATH=f"{self.elsewhere}:/usr/bin:/bin",
                PYTHONPATH=str(self.elsewhere)))
        self.assertFalse(called.exists())

    def test_the_command_lists_its_programs(self):
        listed = self.output("rpycbench", "--help")
        self.assertEqual([*PROGRAMS], re.findall(r"^(\w+)  +\w", listed, re.MULTILINE))
        for program in PROGRAMS:
            self.assertNotEqual("", self.output("rpycbench", program, "--help"))
        self.assertEqual(self.output("bench_all", "--version"),
                         self.output("rpycbench", "--version"))

    def test_the_command_runs_nothing_else(self):
        for name in ("prepare.sh", "../tools/report", "no-such"):
            self.assert_refused(f'there is no program "{name}"', self.installed("rpycbench", name))
        self.assertEqual(2, self.installed("rpycbench").returncode)

    def test_only_programs_of_telling_names_are_in_path(self):
        self.assertEqual({"bench_all", "rpycbench"},
                         {path.name for path in (self.prefix / "bin").iterdir()})

    def test_a_link_to_a_program_will_do(self):
        for program in ("bench_all", "rpycbench"):
            (self.elsewhere / program).symlink_to(self.prefix / "bin" / program)
        done = run("./rpycbench", "bench_all", *FEW, f"--benchmark_filter=^{PING}/",
                   folder=self.elsewhere)
        self.assertEqual(0, done.returncode, done.stderr)
        done = run("./bench_all", *FEW, f"--benchmark_filter=^{PING}/", folder=self.elsewhere)
        self.assertEqual(0, done.returncode, done.stderr)

    def test_no_file_knows_sources_or_build(self):
        for folder in (SOURCES, BUILD):
            known = re.compile(rb"(?<![\w.-])" + re.escape(os.fsencode(folder)) + rb"(?![\w.-])")
            for path in self.files:
                held = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
                self.assertIsNone(known.search(held), path)

    def test_links_between_pages_hold(self):
        links = [(page, link) for page in self.prefix.rglob("*.md")
                 for link in re.findall(r"\]\(([^)#:\s]+)[)#]", page.read_text())]
        self.assertGreater(len(links), 10)
        for page, link in links:
            self.assertTrue((page.parent / link).is_file(), f"{page}: {link}")

    def test_no_test_is_among_the_programs(self):
        for path in (self.prefix / "libexec").rglob("*"):
            self.assertNotRegex(path.name, "test|__pycache__")

    def test_the_whole_may_move(self):
        moved = self.prefix.rename(self.folder / "moved")
        try:
            results = self.measure(prefix=moved)
            self.output("rpycbench", "expectations", results, prefix=moved)
        finally:
            moved.rename(self.prefix)

    def test_without_the_private_folder_the_server_is_missed(self):
        alone = self.folder / "alone"
        (alone / "bin").mkdir(parents=True)
        shutil.copy(self.prefix / "bin" / "bench_all", alone / "bin")
        self.assert_refused(
            f"there is no bench_server in {alone}/bin or {alone}/libexec/rpycbench; say with "
            "--server where it is", self.installed("bench_all", *FEW, prefix=alone))
        done = self.installed(
            "bench_all", *FEW, f"--benchmark_filter=^{PING}/",
            f"--server={self.prefix}/libexec/rpycbench/bench_server", prefix=alone)
        self.assertEqual(0, done.returncode, done.stderr)


@unittest.skipUnless(shutil.which("dpkg-shlibdeps"), "no tools that make Debian packages")
class DebianPackageTest(InstallationTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run(["cpack", "-G", "DEB", "-B", cls.folder], cwd=BUILD, check=True,
                       stdout=subprocess.DEVNULL)
        [cls.package] = cls.folder.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", cls.package, cls.folder], check=True)

    def field(self, name):
        return subprocess.run(["dpkg-deb", "-f", self.package, name], check=True,
                              capture_output=True, text=True).stdout.strip()

    def test_it_runs_where_it_is_unpacked(self):
        self.output("rpycbench", "expectations", self.measure())

    def test_its_fields(self):
        version = self.output("bench_all", "--version").split()[1]
        architecture = subprocess.run(["dpkg", "--print-architecture"], check=True,
                                      capture_output=True, text=True).stdout.strip()
        self.assertEqual(f"rpycbench_{version}_{architecture}.deb", self.package.name)
        for field, words in (("Package", "^rpycbench$"), ("Version", f"^{re.escape(version)}$"),
                             ("Maintainer", "<.+@.+>"), ("Section", "^utils$"),
                             ("Depends", r"\bpython3\b.*\blibc6 .*\blibssl3"),
                             ("Recommends", "libbenchmark-tools.*|python3-matplotlib"),
                             ("Description", r"(?s)^\w.+\n \w.+\n \.\n ")):
            self.assertRegex(self.field(field), words)

    def test_it_has_what_the_distribution_asks_for(self):
        pages = self.prefix / "share" / "doc" / "rpycbench"
        self.assertIn("Copyright (c)", (pages / "copyright").read_text())
        self.assertTrue((pages / "changelog.gz").exists())
        for program in (self.prefix / "bin").iterdir():
            self.assertTrue((self.prefix / "share/man/man1" / f"{program.name}.1.gz").exists())
        listed = subprocess.run(["dpkg-deb", "-c", self.package], check=True, capture_output=True,
                                text=True).stdout
        self.assertNotRegex(listed, r"(?m)^(?!l).{5}w|^(?!l).{8}w")  # only root may write
        self.assertNotRegex(listed, r"(?m)^\S+ (?!root/root)")


if __name__ == "__main__":
    if BUILD is None:
        sys.exit("usage: install_test.py <build tree>")
    unittest.main()
