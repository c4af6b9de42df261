#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two recorders, two processes, one recording: the second one is refused, waits, or takes over from one that was killed."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import launch  # noqa: E402
import tap  # noqa: E402
import tscheck  # noqa: E402

RECORD = launch.LIVE + "amshlssink target-duration=1 location=rec/cam-%05d.ts playlist-location=rec/cam.m3u8 "
# The same folder, as another process may spell it.
ELSEWHERE = launch.LIVE + "amshlssink target-duration=1 location=../{0}/rec/cam-%05d.ts playlist-location=../{0}/rec/cam.m3u8 "


def playlist(folder):
    return os.path.join(folder, "rec", "cam.m3u8")


def listed(folder):
    return tscheck.parse_playlist(playlist(folder)).entries if os.path.exists(playlist(folder)) else []


def wait_listed(folder, count):
    launch.wait_until(lambda: len(listed(folder)) >= count, f"{count} segments are listed")


def check_whole(folder, sessions):
    """No gap, nothing hidden, nothing twice."""
    report = tscheck.check(playlist(folder))
    tap.check(not report.findings, "\n".join(report.findings))
    tap.m3u8_check(playlist(folder))
    with open(playlist(folder), encoding="utf-8") as file:
        text = file.read()
    tap.check("GAP" not in text, text)
    tap.check(len(report.sessions()) == sessions, f"{len(report.sessions())} sessions:\n{text}")
    names = sorted(os.listdir(os.path.join(folder, "rec")))
    uris = [e.uri for e in listed(folder)]
    tap.check(names == sorted(uris + ["cam.m3u8"]), f"{names} are there, {uris} are listed")


def test_second_is_one_error_and_touches_nothing():
    with tap.folder() as folder, launch.Launch(RECORD, folder, name="first") as first:
        wait_listed(folder, 2)
        for line in (RECORD, RECORD + "existing=overwrite", RECORD + "existing=error", ELSEWHERE.format(os.path.basename(folder))):
            said = launch.run(line, folder, code=1, name="second")
            # A source says for itself that nobody takes its buffers any more, if it comes to it.
            tap.check(len(re.findall("ERROR: from.*GstAmsHlsSink", said)) == 1, said)
            tap.check(f"process {first.process.pid} on " in said and "gst-launch-1.0" in said, said)
            tap.check("WARNING" not in said, said)
        at = len(listed(folder))
        wait_listed(folder, at + 2)
        first.stop()
        tap.check("WARNING" not in first.said() and "ERROR" not in first.said(), first.said())
        check_whole(folder, 1)


def test_append_or_new_records_beside():
    with tap.folder() as folder, launch.Launch(RECORD, folder, name="first") as first:
        wait_listed(folder, 2)
        with launch.Launch(RECORD + "existing=append-or-new", folder, name="second") as second:
            at = len(listed(folder))
            wait_listed(folder, at + 3)
            second.stop()
        first.stop()
        playlists = [n for n in os.listdir(os.path.join(folder, "rec")) if n.endswith(".m3u8")]
        tap.check(len(playlists) == 2, str(playlists))
        for name in playlists:
            report = tscheck.check(os.path.join(folder, "rec", name))
            tap.check(not report.findings and len(report.sessions()) == 1, f"{name}: {report.findings}")


def test_one_killed_beside_is_finished_by_the_next():
    """And the first one, which runs all the time, is left alone."""
    with tap.folder() as folder, launch.Launch(RECORD, folder, name="first") as first:
        wait_listed(folder, 1)
        rec = os.path.join(folder, "rec")

        def beside():
            return {n for n in os.listdir(rec) if n.startswith("cam-") and n.endswith(".m3u8")}
        with launch.Launch(RECORD + "existing=append-or-new", folder, name="second") as second:
            launch.wait_until(beside, "the second one has a playlist")
            killed = os.path.join(rec, min(beside()))
            launch.wait_until(lambda: len(tscheck.parse_playlist(killed).entries) >= 2, "it lists two segments")
            second.kill()
        with launch.Launch(RECORD + "existing=append-or-new", folder, name="third") as third:
            launch.wait_until(lambda: len(beside()) == 2, "the third one has a playlist")
            third.stop()
        first.stop()
        for path in [playlist(folder)] + [os.path.join(rec, n) for n in beside()]:
            report = tscheck.check(path)
            with open(path, encoding="utf-8") as file:
                tap.check(not report.findings and "ENDLIST" in file.read(), f"{path}: {report.findings}")
        hidden = [n for n in os.listdir(rec) if n.startswith(".")]
        tap.check(not hidden, str(hidden))


def test_one_that_was_killed_locks_nothing():
    with tap.folder() as folder:
        with launch.Launch(RECORD, folder, name="first") as first:
            wait_listed(folder, 2)
            first.kill()
        tap.check(os.path.exists(os.path.join(folder, "rec", ".cam.m3u8.lock")), "it leaves a lock file")
        with launch.Launch(RECORD, folder, name="second") as second:
            at = len(listed(folder))
            wait_listed(folder, at + 2)
            second.stop()
            tap.check("ERROR" not in second.said(), second.said())
        check_whole(folder, 2)


def test_waiting_one_takes_over_from_one_that_is_killed():
    with tap.folder() as folder, launch.Launch(RECORD, folder, name="first") as first:
        wait_listed(folder, 2)
        with launch.Launch(RECORD + "when-busy=wait", folder, "-m", name="second") as second:
            second.wait_for("ams-recording-waiting")
            at = len(listed(folder))
            wait_listed(folder, at + 1)
            first.kill()
            second.wait_for("ams-recording-started")
            at = len(listed(folder))
            wait_listed(folder, at + 2)
            second.stop()
        check_whole(folder, 2)


def test_waiting_one_takes_over_from_one_that_ends():
    with tap.folder() as folder, launch.Launch(RECORD, folder, name="first") as first:
        wait_listed(folder, 2)
        with launch.Launch(RECORD + "when-busy=wait", folder, "-m", name="second") as second:
            second.wait_for("ams-recording-waiting")
            first.stop()
            second.wait_for("ams-recording-started")
            at = len(listed(folder))
            wait_listed(folder, at + 2)
            second.stop()
        check_whole(folder, 2)


def test_where_there_are_no_locks_it_is_said_once():
    library = os.environ.get("AMS_NO_LOCKS")
    if not library:
        raise tap.Skip("AMS_NO_LOCKS is not set")
    with tap.folder() as folder:
        with launch.Launch(RECORD, folder, env={"LD_PRELOAD": library}) as recorder:
            wait_listed(folder, 2)
            recorder.stop()
            said = recorder.said()
        tap.check(said.count("WARNING: from") == 1 and "has no locks" in said, said)
        check_whole(folder, 1)


if __name__ == "__main__":
    sys.exit(tap.run_tests(launch.beside_each_other(globals(), 3)))
