#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts what a `meson test` run did: tally.py TESTLOG.json [RUN'S NAME]

Prints "PASSED FAILED SKIPPED" and, on stderr, the end of the log of what failed. What is counted is the
single check where a program says how many it ran (libcheck's summary line, TAP), else the program.
"""
import json
import re
import sys

CHECK = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", re.M)
TAP = re.compile(r"^(not ok|ok)\b([^\n]*)$", re.M)
LINES = 60


def count(test):
    out = test.get("stdout", "") or ""
    passed = failed = skipped = 0
    for run, failures, errors in CHECK.findall(out):
        failed += int(failures) + int(errors)
        passed += int(run) - int(failures) - int(errors)
    if passed + failed == 0:
        for result, rest in TAP.findall(out):
            if re.search(r"#\s*SKIP", rest, re.I):
                skipped += 1
            elif result == "ok" or re.search(r"#\s*TODO", rest, re.I):
                passed += 1
            else:
                failed += 1
    result = test["result"]
    if result == "SKIP":
        return passed, failed, max(skipped, 1)
    if result in ("OK", "EXPECTEDFAIL"):
        return (passed, failed, skipped) if passed + failed + skipped else (1, 0, 0)
    return passed, max(failed, 1), skipped


def main():
    total = [0, 0, 0]
    name = sys.argv[2] if len(sys.argv) > 2 else ""
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        for line in log:
            if not line.strip():
                continue
            test = json.loads(line)
            counted = count(test)
            total = [a + b for a, b in zip(total, counted)]
            if counted[1]:
                print(f"--- {name}: {test['name']}: {test['result']} (exit {test.get('returncode')})", file=sys.stderr)
                for part in ("stdout", "stderr"):
                    lines = (test.get(part) or "").splitlines()
                    if len(lines) > LINES:
                        print(f"    … {len(lines) - LINES} lines of {part} left out", file=sys.stderr)
                    for text in lines[-LINES:]:
                        print("    " + text, file=sys.stderr)
    print(*total)


if __name__ == "__main__":
    main()
