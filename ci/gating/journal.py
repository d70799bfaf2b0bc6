"""What an interrupted gate has measured so far, for one that goes on: a file of JSON lines.

The first line names the gate: its builds, by their contents, its settings, and the seed of its coins. Then come, each
as soon as it is there, the exact tier's result, what is injected into which row, and every block.
"""

import dataclasses
import hashlib
import json
import os

from .errors import GateError
from .exact import Change, ExactResult

NAME = "progress.jsonl"
FORMAT = 1


def digest(folder, programs):
    """Of the programs in the folder, as hexadecimal digits."""
    found = hashlib.sha256()
    for program in programs:
        with open(os.path.join(folder, program), "rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


class Journal:
    """The file in a folder. `exact` is an ExactResult or None, `inject` {row: text} or None, `blocks` a list of
    (row, is_control, block, seconds)."""

    def __init__(self, folder, gate, resume):
        """`gate` is what the gate is named by, {what: value}; with `resume` the file must be there, and of the same
        gate. Throws GateError."""
        self._path = os.path.join(folder, NAME)
        self.exact, self.inject, self.blocks = None, None, []
        if resume:
            self._read(gate)
        else:
            with open(self._path, "w", encoding="utf-8") as file:
                file.write(json.dumps({"format": FORMAT, **gate}) + "\n")

    @staticmethod
    def seed_in(folder):
        """The seed of the gate that was interrupted. Throws GateError if there is none."""
        return Journal._lines(os.path.join(folder, NAME))[0]["seed"]

    @staticmethod
    def _lines(path):
        """The whole lines of the file, for the last may not be."""
        try:
            with open(path, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file if line.endswith("\n")]
        except FileNotFoundError:
            raise GateError(f"{path}: not there: no gate was interrupted that could go on") from None
        except ValueError as error:
            raise GateError(f"{path}: {error}") from error
        if not lines or not isinstance(lines[0], dict) or lines[0].get("format") != FORMAT:
            raise GateError(f"{path}: not of an interrupted gate")
        return lines

    def _read(self, gate):
        head, *lines = self._lines(self._path)
        for what, value in gate.items():
            if head.get(what) != value:
                raise GateError(f"{self._path}: the gate that was interrupted had another {what}; without --resume, "
                                "a new one begins")
        with open(self._path, "r+b") as file:  # so that what is added begins a line
            file.truncate(file.read().rfind(b"\n") + 1)
        for line in lines:
            if "exact" in line:
                changes = [Change(**change) for change in line["exact"].pop("changes")]
                unsettled = {key: list(map(tuple, line["exact"].pop(key)))
                             for key in ("unsettled", "unsettled_in_head")}
                self.exact = ExactResult(changes=changes, **unsettled, **line["exact"])
            elif "inject" in line:
                self.inject = line["inject"]
            else:
                self.blocks.append((line["row"], line["control"], line["block"], line["seconds"]))

    def _append(self, line):
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def add_exact(self, result):
        self._append({"exact": dataclasses.asdict(result)})

    def add_inject(self, inject):
        self._append({"inject": inject})

    def add_block(self, row, is_control, block, seconds):
        """`seconds` were spent on the tier until then."""
        self._append({"row": row, "control": is_control, "block": block, "seconds": seconds})

    def remove(self):
        """The gate has ended with a verdict."""
        os.remove(self._path)
