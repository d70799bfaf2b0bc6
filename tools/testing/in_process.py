"""Runs a program's main() within a test, which saves starting a process and importing everything.

Tests about the process itself (signals, closed streams, how it is found and called) need a real
one.
"""

import contextlib
import importlib.machinery
import importlib.util
import io
import signal
import subprocess
import sys
from unittest import mock

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)


@contextlib.contextmanager
def signal_handlers_kept():
    """Restores the handlers of signals that main() may set."""
    handlers = {number: signal.getsignal(number) for number in HANDLED}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def module_of(path):
    """Loads a program's file as a module without running it; its name may lack the .py."""
    name = f"module_of_{path.stem}"
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def run_in_process(main, *arguments, folder="."):
    """Calls main() with these arguments in sys.argv, in that folder.

    Returns what subprocess.run() would return: the status that main() returns or passes to
    sys.exit(), and the texts that it writes to sys.stdout and sys.stderr.
    """
    arguments = [*map(str, arguments)]
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
                for _ in range(2))
    with (contextlib.chdir(folder), contextlib.redirect_stdout(out),
          contextlib.redirect_stderr(err), signal_handlers_kept(),
          mock.patch.object(sys, "argv", [main.__module__, *arguments])):
        try:
            status = main()
        except SystemExit as end:
            status = end.code
    said = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return subprocess.CompletedProcess(arguments, status or 0, *said)
