"""Starts the server that a test gets as its argument: `some_test.py server`."""

import pathlib
import resource
import subprocess
import sys
import unittest

from contract import PATIENCE, Server

if len(sys.argv) < 2:
    sys.exit(f"usage: {pathlib.Path(sys.argv[0]).name} <server>")
SERVER = sys.argv.pop(1)
NATIVE = not SERVER.endswith(".py")


def start(protocol, model, *flags, prefix=()):
    """Starts bench_server, by the command `prefix` if it has words."""
    return Server([*prefix, SERVER, f"--protocol={protocol}", f"--model={model}", *flags])


def run_to_the_end(*flags, prefix=(), stdin=subprocess.PIPE):
    """Runs the server with flags that it should refuse, and returns the finished process."""
    return subprocess.run([*prefix, SERVER, *flags], stdin=stdin, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)


def allow_all_descriptors():
    """Raises this process's limit of descriptors to the highest allowed."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def tests_of(loader, case, **attributes):
    """Returns the tests of a class, with attributes set that become part of its name."""
    name = "_".join([case.__name__, *attributes.values()])
    return loader.loadTestsFromTestCase(type(name, (case, unittest.TestCase), attributes))
