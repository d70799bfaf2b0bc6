"""Checks the results of a smoke run: `check_smoke.py rows.txt results.json`.

Every row listed by --benchmark_list_tests must be in the results of --benchmark_out, and none may
have ended in an error. Prints what is wrong and exits with status 1.
"""

import json
import sys


def main(rows_path, results_path):
    with open(rows_path, encoding="utf-8") as rows:
        listed = {line.strip() for line in rows if line.strip()}
    with open(results_path, encoding="utf-8") as results:
        report = json.load(results)
    good = {row["run_name"] for row in report["benchmarks"] if not row.get("error_occurred")}
    complaints = [f"row without a result: {name}" for name in sorted(listed - good)]
    complaints += [f"error: {error}" for error in report.get("errors", [])]
    if not listed:
        complaints.append("no rows were listed")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if complaints:
        return 1
    print(f"smoke: {len(listed)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
