"""Tests that the recorder reproduces what is recorded, with the installed release of the library."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import rpyc

HERE = pathlib.Path(__file__).resolve().parent
RECORDING = HERE.parent / "testdata" / "vectors.json"
TEXT = RECORDING.read_text(encoding="utf-8")
DIALECT = rpyc.__version__.split(".", maxsplit=1)[0]
NAMES = ("exception", "call_back_3", "numbers_3")


def without(text, names):
    """Returns the file's text without conversations of the dialect."""
    begin = text.index(f'"{DIALECT}": {{"rpyc_version"')
    for name in names:
        start = text.index(f',\n{{"name":"{name}"', begin)
        end = text.index("}]}", start) + len("}]}")
        text = text[:start] + text[end:]
    return text


def frames(text):
    """Returns the dialect's conversations by name, each a list of frames."""
    recorded = json.loads(text)["dialects"][DIALECT]["conversations"]
    return {entry["name"]: entry["frames"] for entry in recorded}


def descriptions(text, name):
    """Returns what is said of each frame of a conversation, without its bytes."""
    return [sorted((key, value) for key, value in frame.items() if key != "hex")
            for frame in frames(text)[name]]


@unittest.skipUnless(f'"{DIALECT}": {{"rpyc_version": "{rpyc.__version__}"' in TEXT,
                     f"nothing is recorded of rpyc {rpyc.__version__}")
class RecordTest(unittest.TestCase):
    def record(self, text, *names):
        """Returns the file after the recorder has run."""
        with tempfile.TemporaryDirectory(prefix="rpycbench_record_") as folder:
            path = pathlib.Path(folder, "recording.json")
            path.write_text(text, encoding="utf-8")
            subprocess.run([sys.executable, HERE / "record.py", path, *names], check=True, timeout=60,
                           stdout=subprocess.DEVNULL)
            return path.read_text(encoding="utf-8")

    def test_it_records_the_same_messages_again(self):
        text = self.record(without(TEXT, NAMES))
        self.assertEqual(set(frames(TEXT)), set(frames(text)))
        for name in ("exception", "numbers_3"):
            self.assertEqual(descriptions(TEXT, name), descriptions(text, name))
        # The library's two ends write at the same time after a callback.
        self.assertEqual(sorted(descriptions(TEXT, "call_back_3")),
                         sorted(descriptions(text, "call_back_3")))

    def test_it_leaves_all_else_as_it_is(self):
        before = without(TEXT, NAMES)
        self.assertEqual(before, without(self.record(before, "numbers_3"), ("numbers_3",)))
        self.assertEqual(TEXT, self.record(TEXT))

    def test_tracebacks_name_no_folder_of_the_machine(self):
        before = without(TEXT, ("exception",))
        recorded = frames(self.record(before, "exception"))["exception"]
        exception, = [frame["hex"] for frame in recorded if frame["msg"] == "EXCEPTION"]
        self.assertIn(b'File "rpyc/core/protocol.py"', bytes.fromhex(exception))
        self.assertIn(b'File "operations.py"', bytes.fromhex(exception))


if __name__ == "__main__":
    unittest.main()
