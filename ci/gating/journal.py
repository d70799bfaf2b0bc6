"""Records what a gate has measured so far, so that another can continue after an interruption: a file of JSON lines.

The first line identifies the gate by its builds' contents, its settings and the seed of its coins. Then come the exact
tier's result, the slowdown injected into each row, and every block, each as soon as it is known.
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
    """Returns the digest of the programs in the folder, as hexadecimal digits."""
    found = hashlib.sha256()
    for program in programs:
        with open(os.path.join(folder, program), "rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


class Journal:
    """Keeps the file in a folder.

    `exact` is an ExactResult or None, `inject` {row: text} or None, and `blocks` a list of
    (row, is_control, block, seconds).
    """

    def __init__(self, folder, gate, resume):
        """`gate` identifies the gate, as {what: value}.

        With `resume` the file must exist and be of the same gate. Raises GateError.
        """
        self._path = os.path.join(folder, NAME)
        self.exact, self.inject, self.blocks = None, None, []
        if resume:
            self._read(gate)
        else:
            with open(self._path, "w", encoding="utf-8") as file:
                file.write(json.dumps({"format": FORMAT, **gate}) + "\n")

    @staticmethod
    def seed_in(folder):
        """Returns the seed of the interrupted gate. Raises GateError if there is none."""
        return Journal._lines(os.path.join(folder, NAME))[0]["seed"]

    @staticmethod
    def _lines(path):
        """Returns the complete lines of the file; the last one may be incomplete."""
        try:
            with open(path, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file if line.endswith("\n")]
        except FileNotFoundError:
            raise GateError(f"{path}: not there: no interrupted gate can be continued") from None
        except ValueError as error:
            raise GateError(f"{path}: {error}") from error
        if not lines or not isinstance(lines[0], dict) or lines[0].get("format") != FORMAT:
            raise GateError(f"{path}: not of an interrupted gate")
        return lines

    def _read(self, gate):
        head, *lines = self._lines(self._path)
        for what, value in gate.items():
            if head.get(what) != value:
                raise GateError(f"{self._path}: the interrupted gate had another {what}; without --resume, "
                                "a new one begins")
        with open(self._path, "r+b") as file:  # cut off an incomplete line
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
        """Records a block; `seconds` is the time spent on the tier until then."""
        self._append({"row": row, "control": is_control, "block": block, "seconds": seconds})

    def remove(self):
        """Removes the file, because the gate has ended with a verdict."""
        os.remove(self._path)
