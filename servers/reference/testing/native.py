"""Lists what the native server offers, from the description of the suite."""

import json
import pathlib

DESCRIPTION = pathlib.Path(__file__).resolve().parents[3] / "tools" / "common" / "description.json"
MODES = [mode for mode in json.loads(DESCRIPTION.read_text(encoding="utf-8"))["modes"]
         if not mode["python"]]
PROTOCOLS = tuple(dict.fromkeys(mode["protocol"] for mode in MODES))
MODELS = tuple(dict.fromkeys(mode["model"] for mode in MODES))
