#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recorder to disk and to a server is killed while the disk hangs with a segment that the server has whole, or never got: the
disk has a part of it only, or all of it without its name. The next start lists the whole of it, once, in its place, on both."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import faultserver  # noqa: E402
import launch  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402
import tscheck  # noqa: E402

LIBRARY = os.environ.get("AMS_DIE_AT_LIBRARY")
# Noise, so that the disk is given a segment in several pieces. The disk gets no further than the second segment.
CLIP = ("videotestsrc pattern=snow num-buffers={} ! video/x-raw,format=I420,width=320,height=240,framerate=10/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! ")
HLS = "amshlssink target-duration=1 location=s%05d.ts playlist-location=p.m3u8 write-files=always ! amshttpput location={} {}"
FIRST, NAME = "s00000.ts", "s00001.ts"
SPOOL, NO_SPOOL = "spool-dir=spool", ""
# The third piece is not there, so that two pictures are in any case; all are.
CUT, WHOLE = ("pwrite64", 3), ("renameat2", 1)


def is_put(request, name):
    return request["method"] == "PUT" and request["path"] == "/cam/" + name


def stored(name):
    return lambda r: is_put(r, name) and r["stored"]


def hang_and_kill(folder, line, at, step):
    """Kills it in the call at which the disk hangs, as soon as step() has seen enough."""
    once = os.path.join(folder, "now")
    env = {"LD_PRELOAD": LIBRARY, "AMS_DIE_BELOW": folder, "AMS_DIE_BEFORE": f"{at[0]} .{NAME}.part", "AMS_DIE_AT": str(at[1]), "AMS_DIE_ONCE": once}
    with launch.Launch(line, folder, env=env) as first:
        step()
        with open(once, "w", encoding="ascii"):
            pass
        code = first.ended()
        tap.check(code == -9 and "dies at call" in first.said(), f"{code}\n{first.said()[-2000:]}")
    tap.check(not os.path.exists(os.path.join(folder, NAME)), "it had its name")


def read_server(server):
    return {n[len("/cam/"):]: server.get(n) for n in server.names()}


def lists(text, name):
    return text is not None and ("\n" + name + "\n").encode() in text


def check_disk(folder, there, before, away):
    """before: as below. Of listed segments that the disk had nothing of, a warning says that they are at the server only."""
    here = {n: d for n, d in launch.files_in(folder).items() if re.fullmatch(r"s\d+\.ts|p\.m3u8", n)}
    had = {n: d for n, d in there.items() if n in here or n not in before or n <= NAME}
    # What was listed keeps its name, and the part of it that there is.
    if away and NAME in here and had[NAME].startswith(here[NAME]):
        del here[NAME], had[NAME]
    launch.check_same(here, had, "disk and server")
    parts = [n for n in launch.files_in(folder) if ".part" in n]
    tap.check(not parts, f"{parts} are left")


def check(folder, server, before, away):
    """before: what the server had at the kill."""
    there = read_server(server)
    changed = [n for n, data in before.items() if n.endswith(".ts") and there.get(n) != data]
    tap.check(not changed, f"{changed} were replaced")
    if away and not lists(there["p.m3u8"], NAME):
        del there[NAME]
    kept = os.path.join(folder, "server")
    os.mkdir(kept)
    for name, data in there.items():
        with open(os.path.join(kept, name), "wb") as file:
            file.write(data)
    report = tscheck.check(os.path.join(kept, "p.m3u8"))
    text = there["p.m3u8"].decode()
    tap.check(not report.findings, "\n".join(map(str, report.findings)) + "\n" + text)
    tap.check("GAP" not in text and text.endswith("#EXT-X-ENDLIST\n"), text)
    names = servers.listed(text)[2]
    tap.check(names == sorted(set(names)), f"the order of {names}")
    tap.check(names == [n for n in sorted(there) if n.endswith(".ts")], f"{names} are listed, and {sorted(there)} there")
    tap.check(server.problems() is None, server.problems())
    check_disk(folder, there, before, away)
    return report


def go_on(folder, server, line, before, recorded, away=False):
    """recorded: seconds. away: the server is, until the disk lists what there is."""
    if away:
        server.command("pause")
        server.command("drop")
    with launch.Launch(line, folder, name="second") as second:
        if away:
            launch.wait_until(lambda: launch.files_in(folder)["p.m3u8"].count(b".ts\n") > 2, "the disk lists more", 60)
            server.command("resume")
        code = second.ended()
        tap.check(code == 0 and "another file" not in second.said(), f"{code}\n{second.said()[-3000:]}")
    report = check(folder, server, before, away)
    lasts = sum(e.duration for _, entries in report.sessions()[:-1] for e in entries)
    tap.check(lasts > recorded - 0.05, f"{lasts} of {recorded} s are listed")


def kill(folder, server, line, at, listed, has):
    """Returns what the server had. listed: its playlist has the segment, too. has: it has got it."""
    def step():
        server.wait(stored(FIRST))
        if has:
            server.wait(stored(NAME))
        else:
            server.wait(lambda r: is_put(r, NAME))
        if listed:
            launch.wait_until(lambda: lists(server.get("/cam/p.m3u8"), NAME), "the server lists it")

    if not listed:
        server.rule(method="PUT", path="*.m3u8", count=1000, at="headers", hold=True, end="reset")
    if not has:
        server.rule(method="PUT", path="*" + NAME, count=1000, status=503)
    hang_and_kill(folder, line, at, step)
    server.command("clear-rules")
    server.command("drop")
    return read_server(server)


def killed_while_the_disk_hangs(at, options, listed, has=True, seconds=2):
    with tap.folder() as folder, faultserver.FaultServer() as server:
        line = CLIP.format(seconds * 10) + HLS.format(server.url("/cam/"), options)
        before = kill(folder, server, line, at, listed, has)
        # Of what the server never got, there is on disk what the disk has got.
        go_on(folder, server, line, before, 2 if has or at == WHOLE else 1.2)


def test_cut_and_stored():
    killed_while_the_disk_hangs(CUT, SPOOL, False)


def test_cut_and_listed():
    killed_while_the_disk_hangs(CUT, SPOOL, True)


def test_cut_and_stored_without_a_spool():
    killed_while_the_disk_hangs(CUT, NO_SPOOL, False)


def test_cut_and_listed_without_a_spool():
    killed_while_the_disk_hangs(CUT, NO_SPOOL, True)


def test_cut_and_not_stored():
    killed_while_the_disk_hangs(CUT, SPOOL, False, False)


def test_whole_and_stored():
    killed_while_the_disk_hangs(WHOLE, SPOOL, False)


def test_whole_and_listed():
    killed_while_the_disk_hangs(WHOLE, SPOOL, True)


def test_whole_and_stored_without_a_spool():
    killed_while_the_disk_hangs(WHOLE, NO_SPOOL, False)


def test_whole_and_not_stored():
    killed_while_the_disk_hangs(WHOLE, SPOOL, False, False)


def test_cut_and_stored_and_away():
    """The segment is a second session's: the disk has the playlist of the first."""
    with tap.folder() as folder, faultserver.FaultServer() as server:
        line = CLIP.format(10) + HLS.format(server.url("/cam/"), SPOOL)
        launch.run(line, folder, name="first")
        before = kill(folder, server, line, CUT, False, True)
        go_on(folder, server, line, before, 1.2, away=True)


def test_cut_and_stored_with_more():
    killed_while_the_disk_hangs(CUT, SPOOL, False, seconds=4)


def test_cut_and_stored_with_more_without_a_spool():
    killed_while_the_disk_hangs(CUT, NO_SPOOL, False, seconds=4)


def test_cut_and_not_stored_with_more():
    killed_while_the_disk_hangs(CUT, SPOOL, False, False, seconds=4)


def test_whole_and_stored_with_more():
    killed_while_the_disk_hangs(WHOLE, SPOOL, False, seconds=4)


if __name__ == "__main__":
    tap.need("gst-launch-1.0")
    if not LIBRARY:
        print("1..0 # SKIP AMS_DIE_AT_LIBRARY is not set")
        sys.exit(0)
    sys.exit(tap.run_tests(launch.beside_each_other(globals(), 3)))
