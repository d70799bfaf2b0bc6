"""Measures a parameter sweep with bench_all; see tools/sweep.

plan.py turns the declaration into points. running.py measures a point. hosts.py describes the
machines. results.py keeps what was measured in one file. __main__.py goes through the rounds.
"""
