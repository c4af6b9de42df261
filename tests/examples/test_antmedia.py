#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each set-up of examples/ant-media/record.sh, run, and what its settings promise."""
import functools
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import launch  # noqa: E402
import rgw  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402
import tscheck  # noqa: E402

SCRIPT = os.path.join(tap.SOURCE_ROOT, "examples", "ant-media", "record.sh")
PICTURE = "video/x-raw,format=I420,width=160,height=120,framerate=15/1 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15"
LIVE = "videotestsrc is-live=true ! " + PICTURE
CLIP = "videotestsrc num-buffers=90 ! " + PICTURE  # six seconds, as fast as it goes
DATE = r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.\d{3}"
RAN = set()


class Setup(launch.Launch):
    """A run of record.sh, with segments of one second."""

    def __init__(self, setup, folder, source=LIVE, env=None, **named):
        RAN.add(setup)
        self.log = os.path.join(folder, "log")
        self.since = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([SCRIPT, setup], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "SOURCE": source, "TIME": "1", **named, **(env or {})})


def record_clip(setup, folder, **named):
    with Setup(setup, folder, CLIP, **named) as recorder:
        found = recorder.ended()
        tap.check(found == 0, f"exit code {found}:\n{recorder.said()}")


def read(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def names_in(folder, below="streams"):
    """Files that are not hidden, with their folders."""
    return sorted(name for name in launch.files_in(os.path.join(folder, below)) if not os.path.basename(name).startswith("."))


def listed(text):
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def check_names(folder, pattern, count, playlist=r"stream1\.m3u8"):
    """So many segments and a playlist, and no other files. Returns the playlist's path."""
    names = names_in(folder)
    segments = [name for name in names if re.fullmatch(pattern, name)]
    playlists = [name for name in names if re.fullmatch(playlist, name)]
    tap.check(len(segments) == count and len(playlists) == 1 and len(names) == count + 1, f"files: {names}")
    report = tscheck.check(os.path.join(folder, "streams", playlists[0]))
    tap.check(not report.findings, "\n".join(report.findings))
    return os.path.join(folder, "streams", playlists[0])


def record_until(recorder, path, count):
    """Until the playlist lists so many segments."""
    launch.wait_until(lambda: len(listed(read(path))) >= count, f"{path} lists {count} segments", 40)
    tap.check(recorder.runs(), recorder.said())


def test_event_lists_and_keeps_everything():
    with tap.folder() as folder:
        path = os.path.join(folder, "streams", "stream1.m3u8")
        with Setup("event", folder) as recorder:
            record_until(recorder, path, 3)
            tap.check("#EXT-X-PLAYLIST-TYPE:EVENT" in read(path) and "#EXT-X-ENDLIST" not in read(path), read(path))
            recorder.stop()
        tap.check("stream1000000000.ts" in listed(read(path)) and "#EXT-X-ENDLIST" in read(path), read(path))
        check_names(folder, r"stream1\d{9}\.ts", len(listed(read(path))))


def test_append_goes_on_where_the_last_run_ended():
    with tap.folder() as folder:
        record_clip("append", folder)
        before = read(os.path.join(folder, "streams", "stream1.m3u8"))
        record_clip("append", folder)
        after = read(check_names(folder, r"stream1\d{9}\.ts", 12))
        tap.check(after.startswith(before.replace("#EXT-X-ENDLIST\n", "")), f"{before}\n{after}")
        tap.check(after.count("#EXT-X-DISCONTINUITY\n") == 1 and listed(after)[-1] == "stream1000000011.ts", after)


def test_append_refuses_a_playlist_that_cannot_be_read():
    with tap.folder() as folder:
        path = os.path.join(folder, "streams", "stream1.m3u8")
        os.mkdir(os.path.dirname(path))
        servers.write(path, "no playlist\n")
        with Setup("append", folder, CLIP) as recorder:
            tap.check(recorder.ended() != 0, "it was not refused")
        tap.check(read(path) == "no playlist\n", read(path))


def test_date_time_makes_each_run_a_recording_of_its_own():
    with tap.folder() as folder:
        record_clip("date-time", folder)
        path = check_names(folder, f"stream1-{DATE}-\\d{{9}}\\.ts", 6, f"stream1-{DATE}\\.m3u8")
        before = read(path)
        record_clip("date-time", folder)
        tap.check(len(names_in(folder)) == 14 and read(path) == before, names_in(folder))


def test_time_is_the_segments_duration():
    with tap.folder() as folder:
        record_clip("time", folder, TIME="3")
        text = read(check_names(folder, r"stream1\d{9}\.ts", 2))
        tap.check("#EXT-X-TARGETDURATION:3\n" in text and [round(float(d)) for d in re.findall("#EXTINF:([0-9.]+)", text)] == [3, 3], text)


def test_list_size_lists_as_many_and_keeps_all():
    with tap.folder() as folder:
        record_clip("list-size", folder, LIST="4")
        text = read(os.path.join(folder, "streams", "stream1.m3u8"))
        tap.check(listed(text) == [f"stream1{number:09d}.ts" for number in range(2, 6)] and "MEDIA-SEQUENCE:2\n" in text, text)
        tap.check(len(names_in(folder)) == 7, names_in(folder))


def test_delete_segments_deletes_what_has_left_the_playlist():
    with tap.folder() as folder:
        first = os.path.join(folder, "streams", "stream1000000000.ts")
        path = os.path.join(folder, "streams", "stream1.m3u8")
        with Setup("delete-segments", folder, LIST="3") as recorder:
            record_until(recorder, path, 2)
            tap.check(os.path.exists(first), names_in(folder))
            launch.wait_until(lambda: not os.path.exists(first), "the first segment is deleted", 40)
            text = read(path)
            tap.check(len(listed(text)) <= 5 and first not in listed(text), text)
            recorder.stop()
        check = [name for name in listed(read(path)) if not os.path.exists(os.path.join(folder, "streams", name))]
        tap.check(not check, f"listed and not there: {check}")


def test_defaults_are_a_window_and_leave_nothing_of_their_own():
    with tap.folder() as folder:
        path = os.path.join(folder, "streams", "stream1.m3u8")
        other = os.path.join(folder, "streams", "stream10000000000.ts")
        os.mkdir(os.path.dirname(path))
        servers.write(other, "of stream10")
        with Setup("defaults", folder, LIST="3") as recorder:
            record_until(recorder, path, 3)
            launch.wait_until(lambda: "stream1000000000.ts" not in listed(read(path)), "the window slides")
            tap.check("PROGRAM-DATE-TIME" in read(path) and "PLAYLIST-TYPE" not in read(path), read(path))
            recorder.stop()
        tap.check(names_in(folder) == ["stream10000000000.ts"], names_in(folder))


def test_vod_appears_when_it_has_ended():
    with tap.folder() as folder:
        path = os.path.join(folder, "streams", "stream1.m3u8")
        with Setup("vod", folder) as recorder:
            launch.wait_until(lambda: len(glob.glob(os.path.join(folder, "streams", "*.ts"))) >= 2, "two segments")
            tap.check(not os.path.exists(path), "the playlist is there before the end")
            recorder.stop()
        tap.check("#EXT-X-PLAYLIST-TYPE:VOD" in read(path) and "#EXT-X-ENDLIST" in read(path), read(path))


def test_program_date_time_with_and_without():
    with tap.folder() as folder:
        record_clip("program-date-time", folder)
        record_clip("no-date-time", folder, STREAMS="without")
        path = check_names(folder, r"stream1\d{9}\.ts", 6)
        tap.check(read(path).count("#EXT-X-PROGRAM-DATE-TIME:") == 6, read(path))
        without = read(os.path.join(folder, "without", "stream1.m3u8"))
        tap.check("PROGRAM-DATE-TIME" not in without and len(listed(without)) == 6, without)


def test_names_are_those_of_the_formats():
    for setup, pattern, playlist in (
            ("suffix-number", r"stream1\d{5}\.ts", r"stream1\.m3u8"),
            ("suffix-time", r"stream1\d{8}-\d{10}\.\d{3}\.ts", r"stream1\.m3u8"),
            ("file-name-format", r"stream1_360p800kbps\d{9}\.ts", r"stream1_360p800kbps\.m3u8"),
            ("file-name-date", f"stream1-{DATE}_360p800kbps\\d{{9}}\\.ts", f"stream1-{DATE}_360p800kbps\\.m3u8"),
            ("sub-folder", r"cameras/stream1/stream1\d{9}\.ts", r"cameras/stream1/stream1\.m3u8")):
        with tap.folder() as folder:
            record_clip(setup, folder)
            check_names(folder, pattern, 6, playlist)


def test_delete_on_ended_deletes_what_this_run_wrote():
    with tap.folder() as folder:
        other = os.path.join(folder, "streams", "stream10000000000.ts")
        os.mkdir(os.path.dirname(other))
        servers.write(other, "of stream10")
        with Setup("delete-on-ended", folder) as recorder:
            record_until(recorder, os.path.join(folder, "streams", "stream1.m3u8"), 2)
            recorder.stop()
        tap.check(names_in(folder) == ["stream10000000000.ts"], names_in(folder))


def test_http_endpoint_has_it_while_it_runs():
    with tap.folder() as folder, servers.Nginx(folder) as nginx:
        path = nginx.path("/hls-upload/stream1.m3u8")
        with Setup("http-endpoint", folder, ENDPOINT=nginx.url("/hls-upload/")) as recorder:
            record_until(recorder, path, 2)
            recorder.stop()
        report = tscheck.check(path)
        tap.check(not report.findings and "#EXT-X-ENDLIST" in read(path), report.findings)
        tap.check(not os.path.exists(os.path.join(folder, "streams")), "something was written to disk")


class Shared:
    @functools.cached_property
    def gateway(self):
        self.folder = tap.folder()
        self.ceph = rgw.Ceph(self.folder.__enter__())
        self.ceph.start()
        gateway = rgw.Rgw(self.ceph)
        gateway.start()
        return gateway

    def end(self):
        if "gateway" in self.__dict__:
            self.gateway.kill()
            self.ceph.kill()
            self.folder.__exit__(None, None, None)


SHARED = Shared()


def bucket_of(name):
    return SHARED.gateway.bucket(name, SHARED.gateway.ceph.user(name), public=True)


def to_bucket(setup, folder, bucket):
    return Setup(setup, folder, env=bucket.user.environment(), S3=bucket.server.endpoint(), BUCKET=bucket.name)


def check_bucket(bucket, folder):
    path = os.path.join(bucket.fetch(os.path.join(folder, "fetched"), "streams/"), "stream1.m3u8")
    report = tscheck.check(path)
    tap.check(not report.findings and "#EXT-X-ENDLIST" in read(path), report.findings)


def in_bucket(bucket):
    return listed((bucket.get("streams/stream1.m3u8") or b"").decode())


def test_s3_live_has_it_while_it_runs():
    with tap.folder() as folder:
        bucket = bucket_of("live")
        with to_bucket("s3-live", folder, bucket) as recorder:
            launch.wait_until(lambda: len(in_bucket(bucket)) >= 2, "the bucket's playlist lists two segments", 40)
            tap.check(recorder.runs(), recorder.said())
            recorder.stop()
        check_bucket(bucket, folder)


def test_s3_objects_have_what_is_set():
    with tap.folder() as folder:
        bucket = bucket_of("objects")
        with to_bucket("s3-objects", folder, bucket) as recorder:
            launch.wait_until(lambda: in_bucket(bucket), "the bucket has a playlist", 40)
            recorder.stop()
        check_bucket(bucket, folder)
        for key in ("streams/stream1.m3u8", "streams/stream1000000000.ts"):
            tap.check(bucket.head(key)["Cache-Control"] == "no-store", f"{key}: {bucket.head(key)}")
            _, _, acl = bucket.do("GET", key, query={"acl": ""})
            tap.check(b"AllUsers" in acl, acl)


def test_s3_at_end_has_it_when_it_has_ended():
    with tap.folder() as folder:
        bucket = bucket_of("ended")
        path = os.path.join(folder, "streams", "stream1.m3u8")
        with to_bucket("s3-at-end", folder, bucket) as recorder:
            record_until(recorder, path, 2)
            tap.check(not bucket.keys(), f"before the end: {bucket.keys()}")
            recorder.stop()
        check_bucket(bucket, folder)
        launch.check_same(launch.files_in(os.path.join(folder, "streams")), bucket.objects("streams/"), "disk and bucket")


def check_that_all_ran():
    """Last, and alone: every set-up that the script lists has been run by the tests above."""
    said = tap.run([SCRIPT, "--list"])
    setups = {line.split()[0] for line in said.splitlines()}
    tap.check(len(setups) >= 20 and setups == RAN, f"not run: {sorted(setups - RAN)}")
    for name in ("hlsTime", "hlsListSize", "hlsPlayListType", "append_list", "delete_segments", "program_date_time", "addDateTimeToHlsFileName",
            "hlsSegmentFileSuffixFormat", "deleteHLSFilesOnEnded", "hlsHttpEndpoint", "s3", "upload when finished", "fileNameFormat", "subFolder"):
        tap.check(name in said, f"--list does not name {name}")
    tap.check("hlsEncryptionKeyInfoFile" in tap.run([SCRIPT, "--help"]), "--help does not say what is missing")
    tap.run([SCRIPT, "nonsense"], ok=(2,))


def main():
    tap.have_element()
    tests = launch.beside_each_other(globals(), 4)
    if len(sys.argv) == 1:
        tests.append(check_that_all_ran)
    try:
        return tap.run_tests(tests)
    finally:
        SHARED.end()


if __name__ == "__main__":
    sys.exit(main())
