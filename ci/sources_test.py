"""Checks rules of the Python sources that the interpreter does not enforce.

No line is wider than 120 columns. Outside of tests, text that is read, written or received from a program has a named
encoding. Otherwise the locale decides, and under an ASCII one the first "µ" ends the tool.
"""

import ast
import pathlib
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDERS = ("bench", "servers", "fixtures", "tools", "ci")
WIDTH = 120  # columns
# The place of `mode` among the arguments, and whether text is the default.
OPENING = {"open": (1, True), "fdopen": (1, True), "TemporaryFile": (0, False), "NamedTemporaryFile": (0, False)}
IN_TEXT_MODE = ("text", "universal_newlines")  # of subprocess


def sources():
    """Returns the files in Python, with those that have no suffix."""
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
            and (path.suffix == ".py" or not path.suffix and is_script(path))]


def is_script(path):
    with open(path, "rb") as file:
        first = file.readline(100)
    return first.startswith(b"#!") and b"python" in first


def is_test(path):
    return path.name.endswith("_test.py") or path.name == "gate_test_case.py" or "testing" in path.parts


def wide_lines(path):
    return [f"line {number} has {len(line)} columns"
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if len(line) > WIDTH]


def lacks_encoding(call):
    """Returns whether this call decodes or encodes text as the locale decides."""
    given = {word.arg: word.value for word in call.keywords}
    if "encoding" in given:
        return False
    if any(isinstance(given.get(word), ast.Constant) and given[word].value for word in IN_TEXT_MODE):
        return True
    of_object = isinstance(call.func, ast.Attribute)
    name = call.func.attr if of_object else getattr(call.func, "id", "")
    if name in ("read_text", "write_text"):
        return len(call.args) < (1 if name == "read_text" else 2)
    if name not in OPENING or name == "open" and of_object:  # such a method may be anything's
        return False
    place, is_text = OPENING[name]
    mode = given.get("mode", call.args[place] if len(call.args) > place else None)
    return is_text if mode is None else isinstance(mode, ast.Constant) and "b" not in mode.value


def calls_without_encoding(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [f"line {node.lineno} names no encoding" for node in ast.walk(tree)
            if isinstance(node, ast.Call) and lacks_encoding(node)]


class SourcesTest(unittest.TestCase):
    def test_no_line_is_too_wide(self):
        for path in sources():
            with self.subTest(file=path.relative_to(ROOT)):
                self.assertEqual([], wide_lines(path))

    def test_text_has_a_named_encoding(self):
        self.assertLessEqual({ROOT / "tools" / "explain", ROOT / "ci" / "gating" / "builds.py"}, set(sources()))
        for path in sources():
            if not is_test(path):
                with self.subTest(file=path.relative_to(ROOT)):
                    self.assertEqual([], calls_without_encoding(path))

    def test_what_lacks_one_is_found(self):
        with tempfile.TemporaryDirectory(prefix="rpycbench_sources_") as folder:
            path = pathlib.Path(folder, "a.py")
            for text, wrong in (("run(['a'], text=True)", True), ("Popen('a', universal_newlines=True)", True),
                                ("open('a')", True), ("open('a', 'w')", True), ("open('a', mode='a')", True),
                                ("os.fdopen(1, 'w')", True), ("path.read_text()", True),
                                ("path.write_text(text)", True), ("TemporaryFile('w+')", True),
                                ("run(['a'], text=True, encoding='utf-8')", False), ("run(['a'])", False),
                                ("open('a', 'rb')", False), ("open('a', encoding='ascii')", False),
                                ("client.open()", False), ("os.open('a', os.O_RDONLY)", False),
                                ("path.read_text('utf-8')", False), ("path.write_text(text, 'utf-8')", False),
                                ("TemporaryFile()", False), ("os.fdopen(1, 'wb')", False)):
                with self.subTest(text=text):
                    path.write_text(text, encoding="utf-8")
                    self.assertEqual(["line 1 names no encoding"] if wrong else [], calls_without_encoding(path))

    def test_a_wide_line_is_found(self):
        with tempfile.TemporaryDirectory(prefix="rpycbench_sources_") as folder:
            path = pathlib.Path(folder, "a.py")
            path.write_text("µ" * WIDTH + "\n" + "#" * (WIDTH + 1), encoding="utf-8")
            self.assertEqual([f"line 2 has {WIDTH + 1} columns"], wide_lines(path))


if __name__ == "__main__":
    unittest.main()
