"""Runs rows with manual times and servers with delayed answers, for the tests of both."""

import pathlib
import tempfile

from testing.runs import BENCH_SERVER, rows_of, run


def report(rows, *flags):
    """Returns the exit status and all matching rows, even failed ones, by name without suffix."""
    done = run("--preset=full", f"--benchmark_filter=^({rows})/manual_time$",
               "--benchmark_format=json", *flags)
    return done.returncode, rows_of(done, done.returncode)


def measure(rows, *flags):
    """Returns the rows that match; all must have been measured.

    Tries three times, because a machine that stands still for a second fails a rate.
    """
    for _ in range(3):
        status, found = report(rows, *flags)
        if status == 0:
            return found
    raise AssertionError(f"bench_all exited with {status}: {found}")


class FlaggedServer:
    """A script in place of bench_server that starts it, or another command, with further flags."""

    def __init__(self, test, *flags, command=f'"{BENCH_SERVER}"'):
        self.path = pathlib.Path(test.enterContext(tempfile.TemporaryDirectory()), "server")
        self.path.write_text(f'#!/bin/bash\nexec {command} "$@" {" ".join(flags)}\n', encoding="ascii")
        self.path.chmod(0o755)


class DelayedServer:
    """A script in place of bench_server that delays the answers to pings.

    It delays them always, or by another time than bench_all asks for.
    """

    def __init__(self, test, delay, only_instead=False):
        enter = test.enterClassContext if isinstance(test, type) else test.enterContext
        self.path = pathlib.Path(enter(tempfile.TemporaryDirectory()), "server")
        self.path.write_text(f"""#!/bin/bash
delay={'' if only_instead else '--delay=' + delay}
flags=()
for flag in "$@"; do
  if [[ $flag == --delay=* ]]; then delay=--delay={delay}; else flags+=("$flag"); fi
done
exec "{BENCH_SERVER}" "${{flags[@]}}" $delay
""", encoding="ascii")
        self.path.chmod(0o755)
