"""Runs tools/report: `report results.json [more.json …] [-o FILE] [--png FOLDER] [--markdown]`.

Exit 2, with one line on stderr and no file written, if a file cannot be read as results of
bench_all or cannot be written.
"""

import argparse
import pathlib

from common.command import run, write_whole

from .results import load_results
from .sections import build


def arguments():
    """Parses the command line; exits with status 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="report", description="Makes a report of results that bench_all wrote with "
        "--benchmark_out. Files of one run that share no row become one result; all others are "
        "shown side by side.")
    parser.add_argument("files", nargs="+", metavar="results.json")
    parser.add_argument("-o", metavar="report.html", dest="html", type=pathlib.Path,
                        help="write one HTML file that needs no network")
    parser.add_argument("--png", metavar="FOLDER", type=pathlib.Path,
                        help="write each picture into this folder")
    parser.add_argument("--markdown", action="store_true", help="print a summary on stdout")
    given = parser.parse_args()
    if not (given.html or given.png or given.markdown):
        parser.error("nothing to make: give -o report.html, --png FOLDER or --markdown")
    return given


def main():
    given = arguments()
    results = load_results(given.files)
    sections = build(results)
    written = {}
    if given.html:
        from .page import page  # --markdown does without matplotlib, which takes a second to load
        written[given.html] = page(results, sections).encode()
    if given.png:
        from .pictures import pictures
        given.png.mkdir(parents=True, exist_ok=True)
        for name, content in pictures(sections):
            written[given.png / f"{name}.png"] = content
    for path, content in written.items():
        write_whole(path, content)
    if given.markdown:
        from .markdown import markdown
        print(markdown(results, sections))


if __name__ == "__main__":
    run("report", main)
