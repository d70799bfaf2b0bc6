"""What tests of tools share that read results: a folder with a blank in its name, and files in it."""

import json
import pathlib
import tempfile
import unittest


class ResultsTestCase(unittest.TestCase):
    maxDiff = None
    CONTEXT = {}  # of the files, unless told otherwise

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="a folder ")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, rows, name="results.json", **more):
        """The path of a new file of results with these rows, and what else is to stand in it."""
        path = self.folder / name
        path.write_text(json.dumps({"context": self.CONTEXT, "benchmarks": list(rows), **more}))
        return path
