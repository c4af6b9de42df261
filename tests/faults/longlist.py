#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings whose event playlist is longer than 64 MiB: eight weeks of segments of 6 s. They are continued after
each crash, byte for byte, and the recorder needs no more memory for them than for a new recording and a few MiB."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import launch  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402

SEGMENTS = 840_000
LEAST = 64 * 1024 * 1024
# KiB more than a new recording takes, for a list of 75 MiB: what is gathered before it goes to disk (8 MiB), and
# the blocks that are read and written.
MEMORY = 32 * 1024
HEADER = ("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
    "#EXT-X-FOREIGN:a tag that nobody here knows\n")
DISK = launch.LIVE + "amshlssink name=h target-duration=2 location=rec/cam-%05d.ts playlist-location=rec/cam.m3u8"
HTTP = (launch.LIVE + "amshlssink name=h target-duration=2 location=cam-%05d.ts playlist-location=cam.m3u8 write-files=never "
    "h.src ! amshttpput location={url} playlist-min-interval=1000000000")
KILLS = 3
TIMEOUT = 180


def make_list(path, count=SEGMENTS, broken=None):
    """A playlist whose segments' files are not needed; one of them may be broken."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEADER)
        for i in range(count):
            if i % 1000 == 0:
                file.write("# a comment that was there\n#EXT-X-PER-SEGMENT:foreign\n")
            if i == broken:
                file.write("#EXTINF:six,\n")
            file.write(f"#EXT-X-PROGRAM-DATE-TIME:2026-01-{i // 86400 % 28 + 1:02}T{i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02}.000Z\n"
                f"#EXTINF:1.000000,\ncam-{i:05}.ts\n")
    return os.path.getsize(path)


def peak(recorder):
    """KiB"""
    with open(f"/proc/{recorder.process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))


def read_from(path, at):
    with open(path, "rb") as file:
        file.seek(at)
        return file.read().decode()


def peak_of_new(line, folder):
    with launch.Launch(line, folder, "-m", name="new.log") as recorder:
        recorder.wait_for("hls-segment-added", TIMEOUT, times=2)
        found = peak(recorder)
        recorder.kill()
    return found


def check_begins_as(path, prefix):
    """The list begins with the whole of another file."""
    size = os.path.getsize(prefix)
    tap.check(os.path.getsize(path) > size, "nothing was added")
    with open(path, "rb") as now, open(prefix, "rb") as before:
        tap.check(now.read(size) == before.read(), "the list has changed where it must not")


def check_added(path, at, first):
    """Behind @at: segments with numbers that go on, whole lines. A segment that was killed before anything of it was whole
    has used its number up."""
    added = read_from(path, at)
    numbers = [int(n) for n in re.findall(r"^cam-(\d+)\.ts$", added, re.M)]
    tap.check(numbers and numbers == sorted(set(numbers)) and numbers[0] == first and numbers[-1] < first + len(numbers) + KILLS,
        f"these were added: {numbers[:20]} …")
    tap.check(added.endswith("\n"), "it ends within a line")
    return numbers


def check_memory(found, base, size):
    tap.note(f"peak of memory: {found} KiB, of a new recording: {base} KiB, the list: {size // 1024} KiB")
    tap.check(found < base + MEMORY, f"{found - base} KiB more than a new recording takes")


def kill_often(line, folder, path, size, base):
    """Three lives that are killed: each goes on where the one before was."""
    at = size
    for life in range(KILLS):
        with launch.Launch(line, folder, "-m", name=f"{life}.log") as recorder:
            recorder.wait_for("continued=.boolean.true", TIMEOUT)
            recorder.wait_for("hls-segment-added", TIMEOUT, times=2)
            check_memory(peak(recorder), base, size)
            recorder.kill()
        tap.check(os.path.getsize(path) > at, f"life {life} added nothing")
        at = os.path.getsize(path)


def go_on(folder, line, path):
    base = peak_of_new(line.replace("cam-", "new-").replace("cam.m3u8", "new.m3u8"), folder)
    before = os.path.join(folder, "before.m3u8")
    size = make_list(before)
    tap.check(size > LEAST, "the list is too short to test anything")
    make_list(path)
    kill_often(line, folder, path, size, base)
    with launch.Launch(line, folder, "-m", name="last.log") as recorder:
        recorder.wait_for("hls-segment-added", TIMEOUT, times=2)
        numbers = [int(n) for n in re.findall(r"sequence=\(guint64\)(\d+)", recorder.said())]
        tap.check(numbers[0] > SEGMENTS, f"the media sequence begins anew: {numbers}")
        recorder.stop(TIMEOUT)
    check_begins_as(path, before)
    check_added(path, size, SEGMENTS)
    tap.check(read_from(path, size).endswith("#EXT-X-ENDLIST\n"), "it does not end")
    return size


def test_on_disk_goes_on_after_each_kill():
    with tap.folder() as folder:
        os.mkdir(os.path.join(folder, "rec"))
        path = os.path.join(folder, "rec", "cam.m3u8")
        size = go_on(folder, DISK, path)
        check_with_parsers(path, size)


def test_on_server_goes_on_after_each_kill():
    """Nothing on disk, and no spool: the list comes from the server and goes there."""
    with tap.folder() as folder, servers.Nginx(folder, max_body="1g") as server:
        go_on(folder, HTTP.format(url=server.url()), server.path("cam.m3u8"))


def check_with_parsers(path, size):
    """What was added, behind the header and the last of what was there: the parsers in JavaScript take minutes for all."""
    at = size - 100_000
    end = read_from(path, at)
    excerpt = path + ".excerpt.m3u8"
    with open(excerpt, "w", encoding="utf-8") as file:
        file.write(HEADER + end[end.index("#EXT-X-PROGRAM-DATE-TIME"):])
    tap.m3u8_check(excerpt)


def refuse(path, folder, text):
    size = os.path.getsize(path)
    said = launch.run(DISK, folder, code=None, timeout=TIMEOUT)
    tap.check(text in said, f"not said: “{text}”:\n{said[-2000:]}")
    tap.check(os.path.getsize(path) == size, "it was written to")
    tap.check(os.listdir(os.path.dirname(path)) == ["cam.m3u8"], "something else was written")


def test_cut_within_a_line_is_refused():
    with tap.folder() as folder:
        os.mkdir(os.path.join(folder, "rec"))
        path = os.path.join(folder, "rec", "cam.m3u8")
        os.truncate(path, make_list(path) - 5)
        refuse(path, folder, "the text ends within a line")


def test_broken_line_in_the_middle_is_refused():
    with tap.folder() as folder:
        os.mkdir(os.path.join(folder, "rec"))
        path = os.path.join(folder, "rec", "cam.m3u8")
        make_list(path, broken=SEGMENTS // 2)
        with open(path, encoding="utf-8") as file:
            line = next(number for number, text in enumerate(file, 1) if "six" in text)
        refuse(path, folder, f"line {line}: ")


if __name__ == "__main__":
    sys.exit(tap.run_tests(globals()))
