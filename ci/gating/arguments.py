"""The gate's command line."""

import argparse
import os
import random
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INSTALLED = not os.path.exists(os.path.join(ROOT, "CMakeLists.txt"))
REPOSITORY = None if INSTALLED else ROOT
COMMAND = "rpycbench gate" if INSTALLED else "ci/gate"
OUT = "gate-result" if INSTALLED else os.path.join(ROOT, "build", "gate", "result")


def parse(arguments):
    """The options; exits with 2 and the reason on stderr if they make no sense together."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, allow_abbrev=False,
        description="Says whether a change made the suite's rows slower or dearer: of two builds, measured "
        "in turns, or of two stored results.",
        epilog="Exit status: 0 pass, 1 regression, 2 something is broken, 3 inconclusive, 4 the machine is "
        "not fit to measure. ci/README.md has the rest.")
    parser.add_argument("results", nargs="*", metavar="base.json head.json",
                        help="two results of bench_all --benchmark_out, instead of builds")
    parser.add_argument("--base", metavar="REVISION|TREE", help="git revision, or build tree")
    parser.add_argument("--head", metavar="REVISION|TREE", help="likewise; the working tree if not given")
    parser.add_argument("--config", default=os.path.join(ROOT, "ci", "gate.toml"), metavar="FILE")
    parser.add_argument("--out", default=OUT, metavar="FOLDER",
                        help="for gate.json, SUMMARY.md, base.json and head.json (default: %(default)s)")
    parser.add_argument("--rows", default="", metavar="REGEX", help="judge only rows of such names")
    parser.add_argument("--tier", choices=("exact", "timing", "both"), default="both")
    parser.add_argument("--inconclusive", choices=("fail", "pass"), default="fail",
                        help="whether that exits with 3 or with 0")
    parser.add_argument("--seed", type=int, help="of the coins; drawn if not given")
    parser.add_argument("--inject", default="", metavar="spin:5%|syscall|alloc|bytes",
                        help="slow the head's server down on purpose, to see whether the gate notices; the "
                        "head is then the base if not given. spin takes a share of a row's time or a number of "
                        "ns. spin:200000:1 slows down 1 %% of the calls only")
    parser.add_argument("--inject_rows", default="", metavar="REGEX", help="with --inject: only rows of such names")
    parser.add_argument("--resume", action="store_true",
                        help="go on with the gate that was interrupted, whose --out is the same")
    parser.add_argument("--no-install", action="store_true", help="list what is missing instead of installing it")
    parser.add_argument("--calibrate", action="store_true",
                        help="measure the base against itself, and replay what gates would have said")
    parser.add_argument("--relink", action="store_true",
                        help="with --calibrate: against the same objects, linked in another order")
    parser.add_argument("--blocks", type=int, default=200, help="with --calibrate: of each row")
    parser.add_argument("--gates", type=int, default=10_000, help="with --calibrate: that are replayed")
    options = parser.parse_args(arguments)
    if options.results:
        if len(options.results) != 2 or options.base or options.head or options.calibrate or (
                options.inject or options.tier != "both"):
            parser.error("either two results, or --base and what goes with it")
    elif not options.base:
        parser.error("--base or two results are wanted")
    if options.resume and (options.results or options.calibrate):
        parser.error("--resume goes with --base")
    if options.inject_rows and not options.inject:
        parser.error("--inject_rows goes with --inject")
    for name in ("relink", "blocks", "gates"):
        if getattr(options, name) != parser.get_default(name) and not options.calibrate:
            parser.error(f"--{name} goes with --calibrate")
    if options.calibrate and (options.head or options.tier != "both"):
        parser.error("--calibrate takes no --head and no --tier")
    for name in ("rows", "inject_rows"):
        try:
            re.compile(getattr(options, name))
        except re.error as error:
            parser.error(f"--{name}: {getattr(options, name)!r} is no regular expression: {error}")
    for name in ("blocks", "gates"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be above 0")
    if options.seed is None and not options.resume:
        options.seed = random.SystemRandom().randrange(2**31)
    return options
