"""Checks that the pages name files, headings and identifiers that exist.

Every relative link of every *.md must lead to a file, and its #anchor to a heading of it. Text in
backticks or in an indented example that looks like a path of this repository must be one. The pages
on how to add something name parts of the code, which must be in the code as well. The facts of the
machine that a result file has must be explained. No line of prose is wider than a page.
"""

import functools
import pathlib
import re
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[[^][]*(?:\[[^][]*\][^][]*)*\]\(([^()\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
# A path begins in a folder of the repository and has no placeholder: servers/tcp/wire.h, ci/gate.
FOLDERS = ("bench", "servers", "fixtures", "tools", "ci")
PATH = re.compile(rf"(?<![\w/.$*-])(?:{'|'.join(FOLDERS)})/[\w./-]*\w(?![\w*<{{…])")
# kClosing, ServeThreaded, WithClientOf, rpycbench_clients, GRAMMAR
IDENTIFIER = re.compile(
    r"\b(?:k[A-Z]\w+|(?:[A-Z][a-z]+){2,}|rpycbench_\w+|[A-Z]{4,}(?:_[A-Z]+)*)\b")
# Files that the pages tell their readers to make.
MADE = re.compile("servers/lines|fixtures/clients/lines_client|bench/types/oversleep|kLines"
                  "|rpycbench_lines|RegisterOversleep|kOversleepType")
NOWHERE = "kNowhere" "InTheCode"
WIDTH = 100  # columns of a page


def anchors(text):
    """Returns the anchors of a page's headings, as GitHub names them."""
    found = {}
    for heading in re.findall(r"^#+ +(.+?) *$", without_examples(text), re.MULTILINE):
        plain = re.sub(r"\[([^][]*)\]\([^()]*\)|`", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found[name] = found.get(name, -1) + 1
    return {f"{name}-{again}" if again else name
            for name, times in found.items() for again in range(times + 1)}


def without_examples(text):
    """Returns the text without fenced and indented code."""
    text = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE)


@functools.cache
def words_of_the_code():
    """Returns every word of every file that is not a page."""
    return {word for path in files() if path.suffix not in (".md", ".json")
            for word in re.findall(r"\w+", path.read_text(encoding="utf-8", errors="replace"))}


def complaints(page, root=ROOT):
    """Returns one line for each wrong name in a page below `root`."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(root)
    found = []
    for link in LINK.findall(re.sub(CODE, "", without_examples(text))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            found.append(f"{name}: the link {link} leads nowhere")
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            found.append(f"{name}: the link {link} names no heading of its page")
    code = "\n".join(CODE.findall(text) + re.findall(r"^ {4}.*$", text, re.MULTILINE))
    named = [path for path in PATH.findall(code) if not (root / path).exists()]
    if page.name.startswith("adding_"):
        named += [word for word in IDENTIFIER.findall(code) if word not in words_of_the_code()]
    return found + [f"{name}: there is no {what}" for what in named if not MADE.match(what)]


def wide_lines(page):
    """Returns the lines of a page that are too wide.

    Tables, headings and examples may be wide, and so may the changelog's text on past releases,
    which stays as it was.
    """
    text = page.read_text(encoding="utf-8")
    if page.name == "CHANGELOG.md":
        text = text.partition("## Unreleased\n")[2].partition("\n## ")[0]
    return [line for line in without_examples(text).splitlines()
            if len(line) > WIDTH and not line.startswith(("|", "#"))]


def files():
    """Returns the repository's files, without those that builds and runs write there."""
    patterns = ("*", *(f"{folder}/**/*" for folder in FOLDERS))
    return [path for pattern in patterns for path in sorted(ROOT.glob(pattern))
            if path.is_file() and "__pycache__" not in path.parts]


class PagesTest(unittest.TestCase):
    def test_what_pages_name_is_there(self):
        pages = [path for path in files() if path.suffix == ".md"]
        self.assertIn(ROOT / "README.md", pages)
        for page in pages:
            with self.subTest(page=page.relative_to(ROOT)):
                self.assertEqual([], complaints(page))

    def test_a_page_has_every_fact_of_the_machine(self):
        code = (ROOT / "fixtures" / "meter" / "machine.cc").read_text(encoding="utf-8")
        facts = re.findall(r'(?:^ +\{|emplace_back\()"([a-z_]+)", ', code, re.MULTILINE)
        self.assertLessEqual({"cpu_governor", "interrupts"}, set(facts))
        explained = CODE.findall((ROOT / "bench" / "reading_results.md").read_text(encoding="utf-8"))
        self.assertEqual([], [fact for fact in facts if fact not in explained])

    def test_no_line_is_wider_than_a_page(self):
        for page in (path for path in files() if path.suffix == ".md"):
            with self.subTest(page=page.relative_to(ROOT)):
                self.assertEqual([], wide_lines(page))

    def test_a_wide_line_is_found(self):
        fits, wide = "é" * WIDTH, "é" * (WIDTH + 1)
        with tempfile.TemporaryDirectory(prefix="rpycbench_pages_") as folder:
            page = pathlib.Path(folder) / "a.md"
            apart = f"# {wide}\n\n| {wide} |\n\n    {wide}\n\n```\n{wide}\n```\n"
            page.write_text(f"{apart}{fits}\n{wide}\n- {fits}\n", encoding="utf-8")
            self.assertEqual([wide, f"- {fits}"], wide_lines(page))
            changes = page.with_name("CHANGELOG.md")
            changes.write_text(f"{wide}\n\n## Unreleased\n\n- {fits}\n\n## 0.1.0\n\n{wide}\n",
                               encoding="utf-8")
            self.assertEqual([f"- {fits}"], wide_lines(changes))

    def test_what_is_not_there_is_found(self):
        with tempfile.TemporaryDirectory(prefix="rpycbench_pages_") as folder:
            root = pathlib.Path(folder)
            (root / "ci").mkdir()
            (root / "ci" / "gate").touch()
            (root / "a.md").write_text("# One `two` [three](b.md)\n## Twice\n## Twice\n",
                                       encoding="utf-8")
            page = root / "ci" / "adding_b.md"
            for text, wrong in (
                    ("[a](../a.md#one-two-three) [b](../a.md#twice-1) `ci/gate`, `ci/<x>`", []),
                    ("[a](https://example.org/x.md) `[a](no.md)`\n\n    ci/gate --base", []),
                    ("[a](no.md)", ["ci/adding_b.md: the link no.md leads nowhere"]),
                    ("[a](../a.md#twice-2)",
                     ["ci/adding_b.md: the link ../a.md#twice-2 names no heading of its page"]),
                    ("run `ci/gone --now`", ["ci/adding_b.md: there is no ci/gone"]),
                    ("    tools/gone x", ["ci/adding_b.md: there is no tools/gone"]),
                    ("`IsMember`, `WithClientOf<X>`, `kLines`", []),
                    (f"`{NOWHERE}`", [f"ci/adding_b.md: there is no {NOWHERE}"])):
                with self.subTest(text=text):
                    page.write_text(text, encoding="utf-8")
                    self.assertEqual(wrong, complaints(page, root))


if __name__ == "__main__":
    unittest.main()
