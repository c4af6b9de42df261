#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The short form of bench/soak.py: six live streams to disk, nginx and Ceph while all three fail. SEED repeats a run."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import soak  # noqa: E402
import tap  # noqa: E402

ARGS = soak.parse(["--short"] + sys.argv[1:])
RUN = []
MS = 1000000


def check_no(kind):
    texts = RUN[0].ledger.problems[kind]
    tap.check(not texts, f"{len(texts)}: " + "\n".join(texts[:10]))


def quiet_ledger():
    """One with two segments that are as they should be."""
    ledger = soak.Ledger(1, note=lambda text: None)
    ledger.started(0)
    for sequence, name in enumerate(("000000.ts", "000001.ts")):
        ledger.added(0, sequence, name, 188, 750 * MS, False)
        for place in soak.PLACES:
            ledger.uploaded(0, place, name)
            ledger.digest(0, place, name, name)
    return ledger


def kinds(ledger):
    return sorted(kind for kind, texts in ledger.problems.items() if texts)


def test_ledger_of_a_good_recording_says_nothing():
    ledger = quiet_ledger()
    ledger.ended(0, 30)
    ledger.check_complete()
    tap.check(not kinds(ledger), ledger.problems)


def test_ledger_finds_what_is_lost():
    ledger = quiet_ledger()
    ledger.added(0, 3, "000003.ts", 188, 750 * MS, False)
    tap.check(kinds(ledger) == ["lost"], "a number was left out, and nothing is said")
    ledger = quiet_ledger()
    ledger.ended(0, 45)
    tap.check(kinds(ledger) == ["lost"], "15 frames are missing, and nothing is said")
    for place in ("http", "s3"):
        ledger = quiet_ledger()
        ledger.entries[0]["000001.ts"].uploaded.discard(place)
        ledger.check_complete()
        tap.check(kinds(ledger) == ["lost"], f"a segment never reached {place}, and nothing is said")


def test_ledger_finds_what_differs():
    for place in soak.PLACES:
        ledger = quiet_ledger()
        ledger.digest(0, place, "000001.ts", "another")
        tap.check(kinds(ledger) == ["differs"], f"a segment has other bytes in {place}, and nothing is said")
    ledger = quiet_ledger()
    for name in ("000000.ts", "000001.ts"):
        del ledger.entries[0][name].digests["s3"]
    ledger.check_complete()
    tap.check(kinds(ledger) == ["differs"], "nothing was compared, and nothing is said")


def test_growth_is_seen():
    for columns in ([1000, 1000, 1000, 70, 100], [100000, 100000, 100000, 70, 100]):
        run = soak.Soak(ARGS)
        run.host = type("Host", (), {"samples": [[t, *(value * (1 + t / run.seconds) for value in columns)] for t in range(int(run.seconds))]})
        for name, column in soak.COLUMNS[3:] if columns[0] == 1000 else soak.COLUMNS:
            share, _ = soak.limits(ARGS)[name]
            tap.check(not run.is_flat(column, share, 1), f"{name} grew, and nothing is said")


def test_recorder_that_dies_leaves_its_last_words():
    with tap.folder() as folder:
        run = soak.Soak(ARGS)
        run.disk, run.program = os.path.join(folder, "disk"), os.path.join(folder, "recorder")
        run.user = type("User", (), {"environment": dict})
        os.mkdir(run.disk)
        with open(run.program, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho 'no element \"timeoverlay\"' >&2\nkill -TRAP $$\n")
        os.chmod(run.program, 0o755)
        soak.Host(run, "fakesink", None).end(30)
        said = "".join(run.ledger.problems["lost"])
        tap.check("exit code is -5" in said and 'no element "timeoverlay"' in said, said)


def test_faults_were_there():
    check_no("faults")
    for faults in RUN[0].faults:
        tap.check(faults.counts, f"{faults.place} has had no fault")


def test_nothing_is_lost():
    check_no("lost")


def test_bytes_are_the_same_in_all_places():
    check_no("differs")


def test_nothing_is_listed_before_it_is_there():
    check_no("order")
    tap.check(RUN[0].ledger.counts["playlists read"] > 0, "no playlist was looked at")


def test_memory_threads_and_open_files_stay():
    for name, column in soak.COLUMNS:
        second, last = RUN[0].thirds(column)
        tap.check(RUN[0].is_flat(column, *soak.limits(ARGS)[name]), f"{name}: {second:.0f} in the second third, {last:.0f} in the last")


def main():
    sys.argv[1:] = []
    tap.note(f"SEED={ARGS.seed}")
    run = soak.Soak(ARGS)
    with tap.folder() as folder:
        try:
            run.run(folder)
        except tap.Skip as reason:
            print(f"1..0 # SKIP {reason}")
            return 0
        RUN.append(run)
        for line in soak.report(run, ARGS):
            tap.note(line)
        return tap.run_tests(globals())


if __name__ == "__main__":
    sys.exit(main())
