"""Runs ci/gate, after the script has installed what it needs: `python3 ci/gating …`."""

import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

try:
    from gating.main import main
except Exception as error:  # the interpreter would exit with status 1, which means "regression"
    print(f"gate: {error}; it needs Python 3.11 and the package python3-numpy", file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
