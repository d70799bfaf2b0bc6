"""ci/gate itself, once it has what it needs: `python3 ci/gating …`."""

import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

try:
    from gating.main import main
except Exception as error:  # whose own exit status, 1, would say "regression"
    print(f"gate: {error}; it takes Python 3.11 and the package python3-numpy", file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
