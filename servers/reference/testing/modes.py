"""Lists the modes of servers, native and Python, from the description of the suite."""

import json
import pathlib

DESCRIPTION = pathlib.Path(__file__).resolve().parents[3] / "tools" / "common" / "description.json"
ALL = json.loads(DESCRIPTION.read_text(encoding="utf-8"))["modes"]
PYTHON = [mode for mode in ALL if mode["python"]]
NATIVE = [mode for mode in ALL if not mode["python"]]
PROTOCOLS = tuple(dict.fromkeys(mode["protocol"] for mode in NATIVE))  # of the native server
MODELS = tuple(dict.fromkeys(mode["model"] for mode in NATIVE))
ONE_PROCESS = tuple(dict.fromkeys(
    mode["model"] for mode in NATIVE if not mode["process_per_connection"]))
