"""Modules that the Python tools share: they read results, judge them and run as a program."""
