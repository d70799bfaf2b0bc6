"""Helps to test tools that read results of bench_all."""

import json

from .folder_test_case import FolderTestCase


class ResultsTestCase(FolderTestCase):
    CONTEXT = {}  # of every file that gives none

    def file(self, rows, name="results.json", **more):
        """Writes a file of results with these rows and entries, and returns its path."""
        return self.write(name, json.dumps(
            {"context": self.CONTEXT, "benchmarks": list(rows), **more}))


def no_results(whole):
    """Returns (content, complaint) of files that are no results; `whole` is a good content."""
    return (("", "empty"), ("\n", "empty"), ("hello", "not a JSON file"),
            (whole[:len(whole) // 2], "not a JSON file"), ("[1]", "context or benchmarks missing"),
            ('{"context": {}}', "context or benchmarks missing"),
            ('{"context": {}, "benchmarks": [{}]}', "a row has no name"),
            ('{"context": {}, "benchmarks": [{"name": "Sort/fast/9"}]}', "no row of bench_all"),
            ('{"context": {}, "benchmarks": []}', "no row of bench_all"))
