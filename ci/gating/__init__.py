"""The regression gate: whether a change made the suite's rows slower or dearer. See ci/README.md."""

import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))  # what is shared
