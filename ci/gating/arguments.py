"""Parses the gate's command line."""

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
    """Returns the options; exits with status 2 and the reason on stderr if they do not fit together."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, allow_abbrev=False,
        description="Judges whether a change made the suite's rows slower or more expensive. Compares two builds, "
        "measured in turns, or two stored results.",
        epilog="Exit status: 0 pass, 1 regression, 2 something is broken, 3 inconclusive, 4 the machine is "
        "not fit to measure. See ci/README.md.")
    parser.add_argument("results", nargs="*", metavar="base.json head.json",
                        help="two results of bench_all --benchmark_out, or folders with results of several runs each, "
                        "instead of builds")
    parser.add_argument("--base", metavar="REVISION|TREE", help="git revision or build tree to compare with")
    parser.add_argument("--head", metavar="REVISION|TREE", help="the same (default: the working tree)")
    parser.add_argument("--config", default=os.path.join(ROOT, "ci", "gate.toml"), metavar="FILE")
    parser.add_argument("--out", default=OUT, metavar="FOLDER",
                        help="folder for gate.json, SUMMARY.md, base.json and head.json (default: %(default)s)")
    parser.add_argument("--rows", default="", metavar="REGEX", help="judge only rows whose names match")
    parser.add_argument("--tier", choices=("exact", "timing", "both"), default="both")
    parser.add_argument("--inconclusive", choices=("fail", "pass"), default="fail",
                        help="whether an inconclusive gate exits with status 3 or 0")
    parser.add_argument("--seed", type=int, help="seed of the coins (default: random)")
    parser.add_argument("--inject", default="", metavar="spin:5%|syscall|alloc|bytes",
                        help="slow the head's server down on purpose, to see whether the gate notices; the head "
                        "is then the base by default. spin takes a share of a row's time or a number of ns; "
                        "spin:200000:1 slows down only 1 %% of the calls")
    parser.add_argument("--inject_rows", default="", metavar="REGEX", help="with --inject: only rows whose names match")
    parser.add_argument("--resume", action="store_true",
                        help="continue an interrupted gate that had the same --out")
    parser.add_argument("--no-install", action="store_true", help="list what is missing instead of installing it")
    parser.add_argument("--calibrate", action="store_true",
                        help="measure the base against itself, and replay the verdicts of many gates")
    parser.add_argument("--relink", action="store_true",
                        help="with --calibrate: against the same objects, linked in another order")
    parser.add_argument("--blocks", type=int, default=200, help="with --calibrate: blocks of each row")
    parser.add_argument("--gates", type=int, default=10_000, help="with --calibrate: number of replayed gates")
    options = parser.parse_args(arguments)
    if options.results:
        if len(options.results) != 2 or options.base or options.head or options.calibrate or (
                options.inject or options.tier != "both"):
            parser.error("give either two results, or --base with its flags")
    elif not options.base:
        parser.error("give either --base or two results")
    if options.resume and (options.results or options.calibrate):
        parser.error("--resume requires --base")
    if options.inject_rows and not options.inject:
        parser.error("--inject_rows requires --inject")
    for name in ("relink", "blocks", "gates"):
        if getattr(options, name) != parser.get_default(name) and not options.calibrate:
            parser.error(f"--{name} requires --calibrate")
    if options.calibrate and (options.head or options.tier != "both"):
        parser.error("--calibrate takes no --head and no --tier")
    for name in ("rows", "inject_rows"):
        try:
            re.compile(getattr(options, name))
        except re.error as error:
            parser.error(f"--{name}: {getattr(options, name)!r} is not a regular expression: {error}")
    for name in ("blocks", "gates"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be above 0")
    if options.seed is None and not options.resume:
        options.seed = random.SystemRandom().randrange(2**31)
    return options
