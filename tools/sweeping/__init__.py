"""A parameter sweep by bench_all; see tools/sweep.

plan.py reads the declaration and makes points of it, running.py measures one, hosts.py looks at the
machines, results.py keeps what was found in one file, and __main__.py goes through the rounds.
"""
