"""Helps to test tools that read results: a folder with a space in its name, and files in it."""

import json
import pathlib
import tempfile
import unittest


class ResultsTestCase(unittest.TestCase):
    maxDiff = None
    CONTEXT = {}  # of every file that gives none

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="a folder ")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, rows, name="results.json", **more):
        """Writes a file of results with these rows and entries, and returns its path."""
        path = self.folder / name
        path.write_text(json.dumps({"context": self.CONTEXT, "benchmarks": list(rows), **more}))
        return path
