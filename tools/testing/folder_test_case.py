"""Helps to test programs: a folder with a space in its name, files in it, and refusals."""

import pathlib
import tempfile
import unittest


class FolderTestCase(unittest.TestCase):
    maxDiff = None
    PROGRAM = r"\w+"  # begins the messages that assert_refused() expects, a regular expression

    def setUp(self):
        self.folder = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory(prefix="a folder ")))

    def write(self, name, text):
        """Writes a file and returns its path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def program(self, name, text):
        """Writes a script, in sh unless it says otherwise, and returns its path."""
        path = self.write(name, text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def assert_refused(self, done, words, status=2):
        """Expects that a finished process wrote only one line on stderr, with these words."""
        self.assertEqual((status, ""), (done.returncode, done.stdout), done.stderr)
        self.assertRegex(done.stderr, rf"\A{self.PROGRAM}: .*\n\Z")
        self.assertIn(words, done.stderr)
