"""Gates regressions: decides whether a change made the suite's rows slower or more expensive. See ci/README.md."""

import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))  # shared modules
