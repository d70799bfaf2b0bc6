"""Compares bench_all with the reviewed lists: `golden_test.py bench_all [--write]`.

The lists are its description (tools/common/description.json), the tables of types and counters of
bench/types_and_counters.md, and the rows of each preset (rows/<preset>.txt). --write writes an
intended change; its diff is the review.
"""

import json
import pathlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
DESCRIPTION = HERE.parents[1] / "tools" / "common" / "description.json"
PAGE = HERE.parent / "types_and_counters.md"
PATIENCE = 60  # seconds
MISSING = set()  # what this machine lacks, so that bench_all leaves rows out
IPV6 = pathlib.Path("/proc/net/if_inet6").exists()


def bench_all(*flags):
    done = subprocess.run([BENCH_ALL, *flags], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE, check=True)
    MISSING.update(re.findall("unavailable: (?!wrk).*", done.stderr))
    return done.stdout


def description():
    """Returns the description with one entry a line, without the version, which varies by build."""
    whole = json.loads(bench_all("--describe"))
    del whole["suite_version"]
    parts = []
    for key, value in whole.items():
        entries = value if isinstance(value, list) else None
        text = json.dumps(value, ensure_ascii=False) if entries is None else "[\n" + ",\n".join(
            "  " + json.dumps(entry, ensure_ascii=False) for entry in entries) + "\n]"
        parts.append(f'"{key}": {text}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def table(headings, lines):
    cells = [headings, ["---"] * len(headings)] + [
        [cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def page(known):
    """Returns the page of types and counters, with its two tables generated from the description."""
    types = table(["type", "what is timed", "variants"], [
        [f"`{kind['name']}`", kind["timed"], kind["variants"]] for kind in known["types"]])
    having = {}
    for kind in known["types"]:
        for counter in kind["counters"]:
            having.setdefault(counter, []).append(kind["name"])
    counters = table(["counter", "unit", "types", "meaning"], [
        [f"`{counter['name']}`", counter["unit"] or "–",
         ", ".join(f"`{name}`" for name in having.get(counter["name"], ())) or "most",
         counter["meaning"]] for counter in known["counters"]])
    text = PAGE.read_text(encoding="utf-8")
    for now in (types, counters):
        heading = re.escape(now.splitlines()[0])
        text = re.sub(rf"^{heading}\n(\|.*\n)+", lambda _, new=now: new, text, flags=re.MULTILINE)
    return text


def golden():
    """Returns {path: text} of all lists, as this build has them."""
    found = {DESCRIPTION: description()}
    known = json.loads(found[DESCRIPTION])
    found[PAGE] = page(known)
    for preset in known["presets"]:
        found[HERE / "rows" / f"{preset}.txt"] = bench_all(
            f"--preset={preset}", f"--python={sys.executable}", "--benchmark_list_tests")
    return found


class GoldenTest(unittest.TestCase):
    maxDiff = None

    def test_lists_are_those_of_this_build(self):
        for path, text in golden().items():
            with self.subTest(list=path.name):
                self.assertEqual(self.lines(path.read_text(encoding="utf-8")), self.lines(text),
                                 "if this is meant: golden_test.py bench_all --write")

    def lines(self, text):
        """Returns the lines; without those over IPv6 if the machine has none, which it reports."""
        return [line for line in text.splitlines() if IPV6 or "/ipv6/" not in line]

    def test_a_name_stands_for_one_row_and_larger_presets_keep_it(self):
        rows = {path.stem: path.read_text(encoding="utf-8").split() for path in (HERE / "rows").iterdir()}
        for preset, names in rows.items():
            self.assertEqual(sorted(set(names)), sorted(names), preset)
        self.assertLess(set(rows["quick"]), set(rows["default"]))
        self.assertLess(set(rows["default"]), set(rows["full"]))

    def test_every_list_is_compared(self):
        self.assertEqual({path for path in golden() if path.parent.name == "rows"},
                         set((HERE / "rows").iterdir()))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: golden_test.py <bench_all> [--write]")
    BENCH_ALL = sys.argv.pop(1)
    if "--write" in sys.argv:
        lists = golden()
        if MISSING:
            sys.exit("not written, because rows are missing here: " + "; ".join(sorted(MISSING)))
        for written, content in lists.items():
            written.write_text(content, encoding="utf-8")
    else:
        unittest.main()
