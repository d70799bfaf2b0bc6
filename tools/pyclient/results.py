"""Writes the results in the shape of Google Benchmark's JSON, a whole document after every row.

Rows that ended in an error are kept apart, because comparing tools would read numbers from them.
"""

import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import socket
import ssl
import subprocess

from common import description
from common.command import write_whole

PACKAGES = ("rpyc", "requests", "urllib3", "flask", "werkzeug", "waitress")


def version_of(package):
    """Returns the version of an installed package, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def environment():
    """Returns the variables that bench_all records, as far as they are set: "MALLOC_ARENA_MAX=1 PYTHONOPTIMIZE=1"."""
    return " ".join(sorted(f"{name}={value}" for name, value in os.environ.items()
                           if value and description.own().is_recorded(name)))


def suite_build(bench_server):
    """Returns version and revision, as reported by the bench_all in the folder of the native server.

    They identify rows of both programs as being of one build. Empty if there is no bench_all.
    """
    bench_all = pathlib.Path(bench_server).with_name("bench_all")
    try:
        said = subprocess.run([bench_all, "--version"], stdin=subprocess.DEVNULL, timeout=60,
                              capture_output=True, encoding="utf-8", errors="replace", check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    found = re.fullmatch(r"rpycbench (\S+) \((\S+)\)", said.strip())
    return {"suite_version": found[1], "git_revision": found[2]} if found else {}


def describe_run(flags):
    """Returns the context: everything that the rows' names and labels leave out."""
    return {
        **suite_build(flags.bench_server),
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "host_name": socket.gethostname(),
        "executable": str(pathlib.Path(__file__).resolve().parents[1] / "python_client"),
        "num_cpus": os.cpu_count(),
        "load_avg": os.getloadavg(),
        "library_build_type": "release",
        "client": "python",
        "server": " ".join(flags.command),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "placement": flags.placement or "by type",
        "payload": flags.payload,
        **({"environment": environment()} if environment() else {}),
        **({"dialect": version_of("rpyc").partition(".")[0]} if flags.protocol == "rpyc" else {}),
        "python_version": platform.python_version(),
        "openssl_version": ssl.OPENSSL_VERSION.split()[1],
        **{f"{package}_version": version_of(package) for package in PACKAGES},
    }


class Results:
    """Collects rows, prints each on stdout and writes the file."""

    def __init__(self, path, context):
        """Writes a first document to `path`; every later write also raises Unusable if it fails."""
        self._path = pathlib.Path(path)
        self._context = context
        self._rows = []
        self.errors = []
        self._write()

    def add(self, row, fields):
        """Adds the measured fields of a row and writes the file."""
        position = {"family_index": len(self._rows), "per_family_instance_index": 0}
        self._rows.append({
            "name": row.name, **position, "run_name": row.name, "run_type": "iteration",
            "repetitions": 1, "repetition_index": 0, "threads": 1,
            "iterations": fields["iterations"], "real_time": fields["real_time"],
            "cpu_time": fields["cpu_time"], "time_unit": "us",
            **fields, "label": row.label})
        print(f"{row.name:<60} {fields['real_time']:12.1f} us  p50 {fields['p50_us']:.1f} us",
              flush=True)
        self._write()

    def add_error(self, row, error):
        """Adds a row that ended in an error and writes the file."""
        message = " ".join(f"{type(error).__name__}: {error}".split())
        self.errors.append({"name": row.name, "message": message})
        print(f"{row.name:<60} ERROR: {message}", flush=True)
        self._write()

    def _write(self):
        document = {"context": self._context, "benchmarks": self._rows, "errors": self.errors}
        write_whole(self._path, f"{json.dumps(document, indent=2)}\n".encode())
