#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings to nginx by amshttpput while the server, the recorder and the clock fail. SEED repeats a run."""
import glob
import json
import os
import random
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import hlsplay  # noqa: E402
import launch  # noqa: E402
import mvcheck  # noqa: E402
import serve  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402
import tscheck  # noqa: E402

SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
LOST_AT_MOST = 1.25  # s at a kill: the promise, and what the source holds; see tests/faults/kill9.py
HLS = "amshlssink name=h location=stream123_%05d.ts playlist-location=stream123.m3u8 target-duration=1 "
CHROMIUM = threading.Lock()


def put(server, more=""):
    return f"! amshttpput location={server.url('/hls-stream/')} {more}"


def playlist_on(server):
    return server.path("hls-stream/stream123.m3u8")


def check_recording(path, runs=1, seconds=0.0):
    """What tscheck and m3u8_check say, how many lives of the recorder there are, and that it is at least so long."""
    tap.m3u8_check(path)
    report = tscheck.check(path)
    tap.check(not report.findings, "\n".join(report.findings))
    tap.check(report.playlist.ended, "no EXT-X-ENDLIST")
    sessions = report.sessions()
    tap.check(len(sessions) == runs, f"{len(sessions)} sessions, {runs} runs")
    tap.check(report.playlist.duration >= seconds, f"{report.playlist.duration:.3f} s are listed, {seconds:.3f} s were recorded")
    return report


def check_lost(sessions, killed):
    """killed: when each life ended, s since 1970."""
    for (date, entries), end in zip(sessions, killed):
        lost = end - date - sum(e.duration for e in entries)
        tap.check(-0.5 < lost < LOST_AT_MOST, f"{lost:.3f} s were lost at the end of a life")


def check_reader(reader):
    problems = reader.finish()
    tap.check(not problems, "\n".join(problems))
    tap.check(reader.versions >= 2, f"the reader saw {reader.versions} versions only")


def check_spool(folder):
    """Only the copy of the last playlist is kept, which the next start reads when the server is away."""
    media = [name for name, data in launch.files_in(folder).items() if data[:1] == b"G"]
    tap.check(not media, f"segments are left in the spool: {media}")
    tap.check(not glob.glob(folder + "/*/given-up/*"), "files were given up")


def segments_in(folder):
    return sum(data[:1] == b"G" for data in launch.files_in(folder).values())


def requests(server, *methods):
    """Those that nginx has answered 2xx, in the order of its log: (method, path)."""
    with open(os.path.join(server.folder, "access.log"), encoding="utf-8") as log:
        found = re.findall(r'"([A-Z]+) (\S+) HTTP/[\d.]+" 2\d\d ', log.read())
    return [(method, path) for method, path in found if method in methods]


def outlive(folder, write_files):
    """Kills the server, then the recorder, starts the recorder, then the server. Returns the playlist's path."""
    with servers.Nginx(folder) as server:
        line = launch.LIVE + HLS + f"write-files={write_files} " + put(server, "spool-dir=spool")
        spool = os.path.join(folder, "spool")
        reader = servers.PollingReader(server.url("/hls-stream/stream123.m3u8"))
        killed = []
        with launch.Launch(line, folder) as recorder:
            reader.wait_for_version(2)
            server.kill()
            launch.wait_until(lambda: segments_in(spool) >= 2, "segments wait in the spool")
            killed.append(time.time())
            recorder.kill()
        waiting = segments_in(spool)
        with launch.Launch(line, folder) as recorder:
            launch.wait_until(lambda: segments_in(spool) >= waiting + 2, "the second life's segments wait, too")
            tap.check(not server.listens(server.ports["plain"]), "the server is there")
            seen = reader.versions
            server.start()
            reader.wait_for_version(seen + 2)
            killed.append(time.time())
            recorder.stop()
        check_reader(reader)
        report = check_recording(playlist_on(server), runs=2)
        check_lost(report.sessions(), killed)
        check_spool(spool)
        if write_files == "always":
            local = {n: d for n, d in launch.files_in(folder).items() if n.startswith("stream123")}
            launch.check_same(local, launch.files_in(os.path.dirname(playlist_on(server))), "the disk and the server")
        with CHROMIUM:
            seen = hlsplay.play(playlist_on(server), report.playlist.duration - 0.5)
        tap.check(seen["ok"], seen)


def test_recording_outlives_the_server_and_the_recorder():
    with tap.folder() as folder:
        outlive(folder, "auto")


def test_recording_on_disk_as_well_is_the_same_on_the_server():
    with tap.folder() as folder:
        outlive(folder, "always")


def test_server_killed_ten_times_costs_nothing():
    rng = random.Random(SEED)
    with tap.folder() as folder, servers.Nginx(folder) as server:
        reader = servers.PollingReader(server.url("/hls-stream/stream123.m3u8"))
        with launch.Launch(launch.LIVE + HLS + "write-files=always " + put(server), folder) as recorder:
            recorder.wait_for("New clock")
            begun = time.monotonic()
            reader.wait_for_version(1)
            for _ in range(10):
                time.sleep(rng.uniform(0.1, 0.9))
                server.kill()
                time.sleep(rng.uniform(0.0, 0.6))
                server.start()
            tap.check(recorder.runs(), "the recorder has ended")
            lived = time.monotonic() - begun
            recorder.stop()
        check_reader(reader)
        check_recording(playlist_on(server), seconds=lived - 1.5)
        local = {n: d for n, d in launch.files_in(folder).items() if n.startswith("stream123")}
        launch.check_same(local, launch.files_in(os.path.dirname(playlist_on(server))), "the disk and the server")


def test_one_of_two_servers_away_does_not_hold_up_the_other():
    with tap.folder() as folder:
        homes = [os.path.join(folder, name) for name in "ab"]
        for home in homes:
            os.mkdir(home)
        os.chmod(folder, 0o755)
        with servers.Nginx(homes[0]) as one, servers.Nginx(homes[1]) as other:
            line = (launch.LIVE + HLS + f"h. ! tee name=t t. ! queue {put(one)} t. ! queue {put(other)}")
            readers = [servers.PollingReader(s.url("/hls-stream/stream123.m3u8")) for s in (one, other)]
            with launch.Launch(line, folder) as recorder:
                for reader in readers:
                    reader.wait_for_version(1)
                other.kill()
                before = readers[0].looked_at
                readers[0].wait_for_version(before + 4, timeout=10)
                other.start()
                readers[1].wait_for_version(readers[1].looked_at + 1)
                recorder.stop()
            for reader in readers:
                check_reader(reader)
            check_recording(playlist_on(one), seconds=4)
            launch.check_same(launch.files_in(one.files), launch.files_in(other.files), "the two servers")


def test_recording_that_is_on_disk_only_is_sent_at_the_next_start():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        line = launch.clip(4) + HLS + "write-files=always " + put(server, "drain-timeout=2000000000")
        launch.run(line, folder)
        server.kill()
        said = launch.run(line, folder)
        tap.check("WARNING" in said and "connection refused" in said and "not delivered" in said, said)
        server.start()
        before = len(requests(server, "PUT"))
        launch.run(line, folder)
        local = {n: d for n, d in launch.files_in(folder).items() if n.startswith("stream123")}
        launch.check_same(local, launch.files_in(os.path.dirname(playlist_on(server))), "the disk and the server")
        check_recording(playlist_on(server), runs=3, seconds=11.9)
        sent = [os.path.basename(path) for _, path in requests(server, "PUT")[before:]]
        numbers = [int(name[10:15]) for name in sent if name.endswith(".ts")]
        tap.check(sorted(numbers) == list(range(4, 12)), f"these were sent: {numbers}")
        early = [n for at, n in enumerate(numbers) if n - 4 > at + 3]  # max-parallel is 4
        tap.check(not early, f"not in order: {numbers}")
        last = max(at for at, name in enumerate(sent) if name.endswith(".ts"))
        tap.check("stream123.m3u8" in sent[last:], f"no playlist after the last segment: {sent}")
        first = sent.index("stream123.m3u8")
        tap.check({4, 5, 6, 7} <= {int(n[10:15]) for n in sent[:first]}, f"a playlist before what it lists: {sent}")


def test_spool_of_a_recording_that_has_ended_is_sent_at_the_next_start():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        line = launch.clip(3) + HLS + put(server, "spool-dir=spool drain-timeout=2000000000")
        launch.run(line, folder)
        server.kill()
        said = launch.run(line, folder)
        tap.check("WARNING" in said and "ERROR" not in said, said)
        waits = segments_in(os.path.join(folder, "spool"))
        tap.check(waits == 3, f"{waits} segments wait in the spool")
        server.start()
        launch.run(line, folder)
        check_recording(playlist_on(server), runs=3, seconds=8.9)
        check_spool(os.path.join(folder, "spool"))


def test_upload_at_eos_sends_nothing_before():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        spool = os.path.join(folder, "spool")
        with launch.Launch(launch.LIVE + HLS + put(server, "spool-dir=spool upload=at-eos"), folder) as recorder:
            launch.wait_until(lambda: segments_in(spool) >= 3, "segments wait in the spool")
            tap.check(not os.listdir(server.files) and not requests(server, "PUT", "MKCOL"), "something was sent before the end")
            recorder.stop()
        check_recording(playlist_on(server), seconds=2)
        check_spool(spool)


def test_notify_url_is_told_when_all_is_delivered():
    told = []
    with tap.folder() as folder, servers.Nginx(folder) as server:
        def posted(path, body):
            told.append((path, json.loads(body), launch.files_in(os.path.dirname(playlist_on(server)))))
        listener = serve.server(folder, posted=posted)
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        try:
            url = f"http://127.0.0.1:{listener.server_address[1]}/done"
            launch.run(launch.clip(4) + HLS + put(server, f"notify-url={url}"), folder)
        finally:
            listener.shutdown()
            listener.server_close()
        tap.check(len(told) == 1, f"{len(told)} notices")
        path, said, there = told[0]
        tap.check(path == "/done" and said["event"] == "recording-ended" and said["playlist"] == "stream123.m3u8" and
            said["files"] == 4 and said["failed"] == 0 and said["location"] == server.url("/hls-stream/"), said)
        size = sum(len(data) for name, data in there.items() if name.endswith(".ts"))
        tap.check(said["bytes"] == size, f"{said['bytes']} bytes, there are {size}")
        tap.check(b"#EXT-X-ENDLIST" in there["stream123.m3u8"], "the notice came before the last playlist")


def test_live_playlist_takes_away_what_it_lists_no_longer():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        reader = servers.PollingReader(server.url("/hls-stream/stream123.m3u8"), sliding=True)
        with launch.Launch(launch.LIVE + HLS + "playlist-type=live playlist-length=3 max-files=3 " + put(server), folder) as recorder:
            launch.wait_until(lambda: os.path.exists(playlist_on(server)) and len(requests(server, "DELETE")) >= 3, "three DELETEs")
            recorder.stop()
        check_reader(reader)
        gone = [os.path.basename(path) for _, path in requests(server, "DELETE")]
        wanted = [f"stream123_{n:05d}.ts" for n in range(len(gone))]
        tap.check(gone == wanted, f"taken away, in this order: {gone}")
        tap.check(not set(gone) & set(os.listdir(os.path.dirname(playlist_on(server)))), "a file that was taken away is there")
        report = tscheck.check(playlist_on(server))
        tap.check(not report.findings, "\n".join(report.findings))
        tap.check(report.playlist.sequence >= 3, f"the sequence number is {report.playlist.sequence}")


def test_multivariant_playlist_is_there_and_replaced_by_the_next_session():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        line = launch.LIVE + HLS + "write-files=never multivariant-location=stream123_adaptive.m3u8 " + put(server)
        path = playlist_on(server).replace("stream123.m3u8", "stream123_adaptive.m3u8")
        for segments in (2, 4):
            with launch.Launch(line, folder) as recorder:
                launch.wait_until(lambda: os.path.exists(playlist_on(server)) and len(tscheck.parse_playlist(playlist_on(server)).entries) >= segments,
                    f"{segments} segments")
                recorder.stop()
            report = mvcheck.check(path)
            tap.check(not report.findings and len(report.measured) == 1, "\n".join(map(str, report.findings)))


def test_clock_set_during_a_recording_does_not_hold_it_up():
    library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
    if not library:
        raise tap.Skip("faketime is not installed")
    with tap.folder() as folder, servers.Nginx(folder) as server:
        clock = os.path.join(folder, "clock")
        env = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

        def set_clock(offset):
            servers.write(clock + ".new", offset + "\n")
            os.replace(clock + ".new", clock)
        set_clock("+0")
        reader = servers.PollingReader(server.url("/hls-stream/stream123.m3u8"))
        with launch.Launch(launch.LIVE + HLS + put(server, "spool-dir=spool"), folder, env=env) as recorder:
            reader.wait_for_version(1)
            for offset in ("+2h", "-3h", "+0"):
                set_clock(offset)
                server.kill()
                launch.wait_until(lambda: segments_in(os.path.join(folder, "spool")) >= 1, "a segment waits in the spool")
                server.start()
                reader.wait_for_version(reader.looked_at + 2, timeout=10)
            recorder.stop()
        check_reader(reader)
        check_recording(playlist_on(server), seconds=5)
        check_spool(os.path.join(folder, "spool"))


def test_spool_has_one_owner():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        line = launch.LIVE + HLS + put(server, "spool-dir=spool")
        with launch.Launch(line, folder) as recorder:
            launch.wait_until(lambda: os.path.exists(playlist_on(server)), "the playlist is there")
            said = launch.run(line.replace("stream123", "other"), folder, code=None, name="second")
            tap.check("ERROR" in said and "The spool folder “spool” is in use by another process or element: give each element a folder "
                "of its own" in said, said)
            tap.check(recorder.runs(), "the first has ended")
            recorder.stop()
        check_recording(playlist_on(server))
        tap.check(not glob.glob(os.path.dirname(playlist_on(server)) + "/other*"), "the second has recorded")


if __name__ == "__main__":
    tap.note(f"SEED={SEED}")
    tap.need("gst-launch-1.0")
    sys.exit(tap.run_tests(launch.beside_each_other(globals(), 4)))
