"""The regression gate: whether a change made the suite's rows slower or dearer. See ci/README.md."""
