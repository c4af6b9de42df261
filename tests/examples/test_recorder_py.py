#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples/recorder.py: what it records, and what becomes of a source that dies and comes back."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import launch  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402
import tscheck  # noqa: E402

RECORDER = os.path.join(tap.SOURCE_ROOT, "examples", "recorder.py")
CAMERA = ("videotestsrc is-live=true ! video/x-raw,format=I420,width=160,height=120,framerate=15/1 ! x264enc tune=zerolatency speed-preset=ultrafast "
    "key-int-max=15 ! mpegtsmux name=m alignment=7 ! srtsink wait-for-connection=false uri=srt://127.0.0.1:{port}?mode=listener "
    "audiotestsrc is-live=true ! avenc_aac ! m.")


# Goes before recorder.py: the source's sound is found only when its picture would have begun the recording, or, where that waits, after a second.
SOUND_IS_LATE = """
import gi, glob, time
gi.require_version('Gst', '1.0')
from gi.repository import Gst
query_caps = Gst.Pad.query_caps
def query_late(pad, *filter):
    caps = query_caps(pad, *filter)
    until = time.monotonic() + 1
    while caps.to_string().startswith('audio') and time.monotonic() < until and not glob.glob('rec/.*.ts.*'):
        time.sleep(0.01)
    return caps
Gst.Pad.query_caps = query_late
"""


class Recorder(launch.Launch):
    def __init__(self, folder, *arguments, env=None):
        self.log, self.since = os.path.join(folder, "log"), 0
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([RECORDER, "--hls", "target-duration=1", *arguments], cwd=folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **(env or {})})

    def end(self, number):
        self.process.send_signal(number)
        found = self.ended()
        tap.check(found == 0 and "segments=" in self.said(), f"exit code {found}:\n{self.said()}")


def read(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def check_recording(path):
    report = tscheck.check(path)
    tap.check(not report.findings, "\n".join(report.findings))
    tap.check("#EXT-X-ENDLIST" in read(path), read(path))
    return report


def need_gi():
    if subprocess.run(["/usr/bin/python3", "-c", "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst"],
            stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise tap.Skip("python3-gi or gir1.2-gstreamer-1.0 is not installed")


def test_test_source_goes_to_a_folder_and_a_server_and_continues():
    need_gi()
    with tap.folder() as folder, servers.Nginx(folder) as nginx:
        path = os.path.join(folder, "rec", "cam.m3u8")
        to = ["--to", "rec", "--to", nginx.url("/live/") + " spool-dir=spool", "--name", "cam"]
        for number, count in ((signal.SIGTERM, 2), (signal.SIGINT, 5)):
            with Recorder(folder, *to) as recorder:
                launch.wait_until(lambda: read(path).count("#EXTINF") >= count, f"{count} segments", 60)
                recorder.end(number)
                tap.check("files wait for http://127.0.0.1:" in recorder.said(), recorder.said())
        report = check_recording(path)
        tap.check(read(path).count("#EXT-X-DISCONTINUITY\n") == 1, read(path))
        tap.check(all(len(entry.codecs) == 2 for entry in report.media), "video and audio")
        launch.check_same(launch.files_in(os.path.dirname(path)), launch.files_in(nginx.path("/live")), "the folder and the server")


def test_recording_begins_with_both_tracks_though_one_is_found_late():
    need_gi()
    with tap.folder() as folder:
        path = os.path.join(folder, "rec", "stream.m3u8")
        with open(os.path.join(folder, "sitecustomize.py"), "w", encoding="utf-8") as file:
            file.write(SOUND_IS_LATE)
        with Recorder(folder, "--hls", "target-duration=1 stall-timeout=3600000000000", env={"PYTHONPATH": folder}) as recorder:
            launch.wait_until(lambda: read(path).count("#EXTINF") >= 3, "three segments", 60)
            recorder.end(signal.SIGTERM)
        report = check_recording(path)
        tap.check("#EXT-X-DISCONTINUITY\n" not in read(path), read(path))
        tap.check(all(len(media.codecs) == 2 for media in report.media), f"{[media.codecs for media in report.media]}")


def test_source_without_sound_begins_at_once():
    need_gi()
    with tap.folder() as folder:
        launch.run(launch.clip(3) + "mp4mux ! filesink location=clip.mp4", folder, name="clip")
        with Recorder(folder, f"file://{folder}/clip.mp4", "--hls", "target-duration=1 stall-timeout=3600000000000") as recorder:
            found = recorder.ended()
            tap.check(found == 0, f"exit code {found}:\n{recorder.said()}")
        check_recording(os.path.join(folder, "rec", "stream.m3u8"))


def test_srt_source_that_dies_and_comes_back_is_a_discontinuity():
    need_gi()
    with tap.folder() as folder:
        path = os.path.join(folder, "rec", "stream.m3u8")
        camera = CAMERA.format(port=servers.free_ports(1)[0])
        with launch.Launch(camera, folder, name="camera") as first:
            first.wait_for("New clock")
            with Recorder(folder, camera.split("uri=")[1].split("?")[0]) as recorder:
                launch.wait_until(lambda: read(path).count("#EXTINF") >= 2, "two segments", 60)
                first.kill()
                recorder.wait_for("The source is gone")
                with launch.Launch(camera, folder, name="camera"):
                    launch.wait_until(lambda: "#EXT-X-DISCONTINUITY\n" in read(path), "the discontinuity", 60)
                    before = read(path).count("#EXTINF")
                    launch.wait_until(lambda: read(path).count("#EXTINF") >= before + 1, "it goes on", 60)
                    recorder.end(signal.SIGTERM)
        report = check_recording(path)
        tap.check(read(path).count("#EXT-X-DISCONTINUITY\n") == 1, read(path))
        tap.check("#EXT-X-TARGETDURATION:1\n" in read(path), read(path))
        tap.check(len(report.media[-1].codecs) == 2, f"the last segment has {report.media[-1].codecs}")


def test_file_is_recorded_as_it_is_and_ends():
    need_gi()
    with tap.folder() as folder:
        launch.run(launch.clip(3) + "mp4mux ! filesink location=clip.mp4", folder, name="clip")
        with Recorder(folder, f"file://{folder}/clip.mp4") as recorder:
            found = recorder.ended()
            tap.check(found == 0, f"exit code {found}:\n{recorder.said()}")
        report = check_recording(os.path.join(folder, "rec", "stream.m3u8"))
        tap.check(abs(report.playlist.duration - 3) < 0.1, f"{report.playlist.duration} s")


def test_help_and_length():
    need_gi()
    said = tap.run([RECORDER, "--help"])
    tap.check("srt:" in said and "s3://" in said and "spool-dir" in said, said)
    tap.check("one DIR" in tap.run([RECORDER, "--to", "a", "--to", "b"], ok=(2,)), "two folders are refused")
    with open(RECORDER, encoding="utf-8") as file:
        count = len(file.readlines())
    tap.check(count < 80, f"it has {count} lines")


def main():
    tap.have_element()
    return tap.run_tests(launch.beside_each_other(globals(), 3))


if __name__ == "__main__":
    sys.exit(main())
