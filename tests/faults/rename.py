#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recorder is killed within the steps in which a segment, whose name another file has at the server, gets another name:
nothing is lost, and nothing is marked EXT-X-GAP."""
import http.client
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import faultserver  # noqa: E402
import launch  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402
import tscheck  # noqa: E402

FOREIGN = b"another file"
TAKEN = "s00002.ts"
LOST_AT_MOST = 1.25  # s at a kill: the promise, and what the source holds; see kill9.py
HLS = "amshlssink target-duration=1 location=s%05d.ts playlist-location=p.m3u8 write-files={} "
NEVER, ALWAYS = "never", "always"


def put_foreign(server, name):
    connection = http.client.HTTPConnection(server.address, server.port, timeout=10)
    connection.request("PUT", "/cam/" + name, body=FOREIGN)
    connection.getresponse().read()
    connection.close()


def is_playlist(request):
    return request["method"] == "PUT" and request["path"].endswith("p.m3u8")


def segment_of(request):
    return os.path.basename(request["path"]) if request["method"] == "PUT" and request["path"].endswith(".ts") else None


def refused(server):
    server.wait(lambda r: segment_of(r) == TAKEN and r["status"] == 412)


def compared(server):
    refused(server)
    server.wait(lambda r: r["method"] == "GET" and r["path"].endswith(TAKEN))


def renamed(server):
    """The segment is there under another name."""
    compared(server)
    names = ["s00000.ts", "s00001.ts", TAKEN]
    server.wait(lambda r: segment_of(r) and segment_of(r) not in names and r["stored"])


def listed(server):
    """So is the playlist that lists it."""
    renamed(server)
    seen = sum(is_playlist(r) for r in server.requests)
    server.wait(lambda r: is_playlist(r) and r["stored"], n=seen + 1)


def check(folder, server, killed):
    for name in server.names():
        path = os.path.join(folder, "server", name.lstrip("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(server.get(name))
    path = os.path.join(folder, "server", "cam", "p.m3u8")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    report = tscheck.check(path)
    tap.check(not report.findings, "\n".join(report.findings) + "\n" + text)
    tap.check("GAP" not in text and "ENDLIST" in text, text)
    tap.check(TAKEN not in servers.listed(text)[2], text)
    tap.check(server.get("/cam/" + TAKEN) == FOREIGN, "the other file was replaced")
    tap.check(server.problems() is None, server.problems())
    sessions = report.sessions()
    tap.check(len(sessions) == 2, f"{len(sessions)} sessions:\n{text}")
    date, entries = sessions[0]
    lost = killed - date - sum(e.duration for e in entries)
    tap.check(-0.5 < lost < LOST_AT_MOST, f"{lost:.3f} s were lost\n{text}")
    return text


def kill_when(step, files):
    with tap.folder() as folder, faultserver.FaultServer() as server:
        put_foreign(server, TAKEN)
        line = launch.LIVE + HLS.format(files) + f"! amshttpput location={server.url('/cam/')} spool-dir=spool"
        with launch.Launch(line, folder) as first:
            step(server)
            killed = time.time()
            first.kill()
        seen = sum(is_playlist(r) for r in server.requests)
        with launch.Launch(line, folder, name="second") as second:
            server.wait(lambda r: is_playlist(r) and r["stored"], n=seen + 3)
            second.stop()
            tap.check("ERROR" not in second.said(), second.said()[-3000:])
        text = check(folder, server, killed)
        if files == ALWAYS:
            with open(os.path.join(folder, "p.m3u8"), encoding="utf-8") as file:
                tap.check(file.read() == text, "the disk has another playlist than the server")


def test_refused_spool():
    kill_when(refused, NEVER)


def test_compared_spool():
    kill_when(compared, NEVER)


def test_renamed_spool():
    kill_when(renamed, NEVER)


def test_listed_spool():
    kill_when(listed, NEVER)


def test_refused_disk():
    kill_when(refused, ALWAYS)


def test_compared_disk():
    kill_when(compared, ALWAYS)


def test_renamed_disk():
    kill_when(renamed, ALWAYS)


def test_listed_disk():
    kill_when(listed, ALWAYS)


if __name__ == "__main__":
    tap.need("gst-launch-1.0")
    sys.exit(tap.run_tests(launch.beside_each_other(globals(), 4)))
