#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""amshls-recorder: sources that come and go, and what is on disk, on a server and in a bucket."""
import contextlib
import datetime
import glob
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "common")]
import launch  # noqa: E402
import recorder  # noqa: E402
import rgw  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402
import tscheck  # noqa: E402

TEST = "test://?width=160&height=120&rate=25"
PICTURE = "videotestsrc is-live=true ! video/x-raw,format=I420,width=160,height=120,framerate=25/1 ! "
H264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! h264parse ! "
TONE = "audiotestsrc is-live=true ! audio/x-raw,rate=48000,channels=2 ! "
SENDER = PICTURE + H264 + "mpegtsmux alignment=7 name=m ! {sink} " + TONE + "avenc_aac ! aacparse ! m."
DATES_WITHIN = 2.5  # s, on a loaded machine


def udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def date_of(entry):
    return datetime.datetime.fromisoformat(entry.date_time.replace("Z", "+00:00")).timestamp()


def check_recording(path, discontinuities=0):
    tap.m3u8_check(path)
    report = tscheck.check(path)
    tap.check(not report.findings, "\n".join(report.findings))
    tap.check(report.playlist.ended, "no EXT-X-ENDLIST")
    found = sum(e.discontinuity for e in report.playlist.entries)
    tap.check(found == discontinuities, f"{found} EXT-X-DISCONTINUITY, not {discontinuities}")
    return report


def check_codecs(report, video="h264", audio="aac"):
    for media in report.media:
        tap.check(sorted(media.codecs.values()) == sorted([video, audio]), f"{media.codecs} are no {video} and {audio}")


def check_outage(report, lost, back, again=None):
    """The dates on both sides of the DISCONTINUITY are those of the real time. @again: when the recorder said that the source is back, which
    it looks for ever less often."""
    entries = report.playlist.entries
    at = next(i for i, e in enumerate(entries) if e.discontinuity)
    end = date_of(entries[at - 1]) + entries[at - 1].duration
    tap.check(abs(end - lost) < DATES_WITHIN, f"the first part ends {end - lost:+.2f} s from when the source went")
    begin = date_of(entries[at])
    tap.check(-0.5 < begin - back and begin < (again or back + DATES_WITHIN) + DATES_WITHIN, f"the second part begins {begin - back:+.2f} s from when the source was there again")


@contextlib.contextmanager
def sender(line, folder, name):
    with launch.Launch(line, folder, name=name) as running:
        yield running


def drop_and_return(r, sending, lost_by):
    """sending() gives a context: who sends. Returns when it was killed, when the next was there, and when that was said."""
    with sending("one") as one:
        r.wait_for("source-connected")
        r.wait_for("segment", 2)
        lost = time.time()
        one.kill()
    r.wait_for("source-lost", wanted=lambda e: re.search(lost_by, e["reason"]))
    with sending("two"):
        back = time.time()
        r.wait_for("source-back")
        again = time.time()
        r.wait_for("segment", 1, lambda e: e["discontinuity"])
        r.wait_for_more(1)
        r.stop()
    return lost, back, again


def test_source_of_test_makes_a_recording():
    with tap.folder() as folder, recorder.Recorder([TEST, "--to", "rec"], folder) as r:
        r.wait_for("segment", 2)
        r.stop(signal.SIGINT)
        check_codecs(check_recording(os.path.join(folder, "rec/cam1.m3u8")))
        names = {e["event"] for e in r.events()}
        wanted = {"recording-started", "source-connected", "segment", "progress", "ending", "recording-ended"}
        tap.check(wanted <= names, f"not said: {wanted - names}")
        for event in r.events():
            datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
        ended = r.events("recording-ended")[0]
        tap.check(ended["segments"] == r.segments() and ended["duration"] > 2, f"{ended}")


def test_source_over_udp_that_falls_silent_and_comes_back_is_one_recording():
    port = udp_port()
    with tap.folder() as folder, recorder.Recorder([f"udp://127.0.0.1:{port}", "--to", "rec", "--stall-timeout=1"], folder) as r:
        line = SENDER.format(sink=f"udpsink host=127.0.0.1 port={port}")
        lost, back, again = drop_and_return(r, lambda name: sender(line, folder, name), "nothing has come")
        report = check_recording(os.path.join(folder, "rec/cam1.m3u8"), discontinuities=1)
        check_codecs(report)
        check_outage(report, lost, back, again)


def falls_silent(progress):
    recorded = [e["recorded"] for e in progress]
    return len(recorded) > 1 and recorded[-1] == recorded[-2]


def check_short_interruption(r, folder, sending):
    """Nothing closes: what comes behind the interruption is timed as if it followed at once."""
    with sending("one") as one:
        r.wait_for("segment", 3)
        lost = time.time()
        one.kill()
    seen = len(r.events("progress"))
    launch.wait_until(lambda: falls_silent(r.events("progress")[seen:]), "nothing comes any more")
    with sending("two"):
        before = r.segments()
        interrupted = r.wait_for("source-interrupted")
        r.wait_for("segment", 1, lambda e: e["discontinuity"])
        r.wait_for("segment", before + 4)
        r.stop()
    report = check_recording(os.path.join(folder, "rec/cam1.m3u8"), discontinuities=1)
    check_codecs(report)
    check_outage(report, lost, lost + interrupted["missing"])
    longest = max(e.duration for e in report.playlist.entries)
    tap.check(longest < 1.5, f"a segment of {longest} s has the hole in it")


def test_source_over_udp_that_is_interrupted_shortly_keeps_its_dates():
    port = udp_port()
    line = SENDER.format(sink=f"udpsink host=127.0.0.1 port={port}")
    with tap.folder() as folder, recorder.Recorder([f"udp://127.0.0.1:{port}", "--to", "rec"], folder) as r:
        check_short_interruption(r, folder, lambda name: sender(line, folder, name))


def test_source_over_srt_that_dies_and_comes_back_is_one_recording():
    port = udp_port()
    with tap.folder() as folder, recorder.Recorder([f"srt://127.0.0.1:{port}", "--to", "rec", "--stall-timeout=4"], folder) as r:
        line = SENDER.format(sink=f"srtsink uri=srt://127.0.0.1:{port}?mode=listener wait-for-connection=false")
        lost, back, again = drop_and_return(r, lambda name: sender(line, folder, name), "")
        report = check_recording(os.path.join(folder, "rec/cam1.m3u8"), discontinuities=1)
        check_outage(report, lost, back, again)


@contextlib.contextmanager
def media_server(folder, port):
    """nginx as an RTMP server. It leaves players connected when who sends has gone."""
    module = "/usr/lib/nginx/modules/ngx_rtmp_module.so"
    if not os.path.exists(module):
        raise tap.Skip("libnginx-mod-rtmp is not installed")
    home = os.path.join(folder, "rtmp")
    os.makedirs(home)
    os.chmod(folder, 0o755)
    servers.write(os.path.join(home, "conf"), f"""{"user root;" if os.getuid() == 0 else ""}
        worker_processes 1; daemon off; pid {home}/pid; error_log {home}/log; load_module {module};
        events {{ worker_connections 64; }}
        rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; }} }} }}""")
    with open(os.path.join(home, "output"), "wb") as output:
        process = subprocess.Popen(["/usr/sbin/nginx", "-c", os.path.join(home, "conf"), "-e", os.path.join(home, "log")],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    try:
        launch.wait_until(lambda: servers.Server.listens(port), "the RTMP server listens")
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_stream_of_a_media_server_that_stops_and_comes_back_is_one_recording():
    port = servers.free_ports(1)[0]
    url = f"rtmp://127.0.0.1:{port}/live/secretkey"
    with tap.folder() as folder, media_server(folder, port):
        with recorder.Recorder([url, "--to", "rec", "--stall-timeout=3"], folder) as r:
            lost, back, again = drop_and_return(r, lambda name: Publisher(folder, Publisher.AAC, "flv", url), "")
            report = check_recording(os.path.join(folder, "rec/cam1.m3u8"), discontinuities=1)
            check_codecs(report)
            check_outage(report, lost, back, again)
            tap.check("secretkey" not in r.said(), "the stream's key was said")


class Publisher:
    """ffmpeg, where GStreamer's elements are not what is wanted: flvmux gives sound the times of the pictures."""
    AAC = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    MP2 = ["-c:v", "mpeg2video", "-c:a", "mp2"]

    def __init__(self, folder, codecs, *to):
        tap.need("ffmpeg")
        with open(os.path.join(folder, "publisher"), "ab") as log:
            self.process = subprocess.Popen(["ffmpeg", "-nostdin", "-loglevel", "error", "-re", "-f", "lavfi", "-i", "testsrc=s=160x120:r=25",
                "-f", "lavfi", "-i", "sine=r=48000", *codecs, "-f", *to], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()


class Camera:
    """The RTSP server."""

    def __init__(self, port, folder, sound="aac"):
        self.log = open(os.path.join(folder, "camera"), "ab")
        self.process = subprocess.Popen(["/usr/bin/python3", os.path.join(HERE, "rtsp-server.py"), str(port), sound], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self.log)
        said = self.process.stdout.readline()
        if said != b"ready\n":
            self.kill()
            raise tap.Skip(f"the RTSP server cannot be run: {said.decode()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()


def test_camera_that_dies_and_comes_back_is_one_recording():
    port = servers.free_ports(1)[0]
    with tap.folder() as folder:
        env = {"AMSHLS_SOURCE": f"rtsp://user:pass@127.0.0.1:{port}/cam", "AMSHLS_TO": "rec"}
        with Camera(port, folder):
            pass
        with recorder.Recorder([], folder, env=env) as r:
            r.wait_for("source-retrying")
            lost, back, again = drop_and_return(r, lambda name: Camera(port, folder), "")
            report = check_recording(os.path.join(folder, "rec/cam1.m3u8"), discontinuities=1)
            check_codecs(report)
            check_outage(report, lost, back, again)
            tap.check("user:pass" not in r.said(), "the password of the camera was said")


def test_camera_that_refuses_the_password_is_said_so_without_it():
    port = servers.free_ports(1)[0]
    with tap.folder() as folder, Camera(port, folder):
        with recorder.Recorder([f"rtsp://user:secret@127.0.0.1:{port}/cam", "--to", "rec"], folder) as r:
            r.wait_for("source-retrying")
            r.stop()
            tap.check("secret" not in r.said(), "the password was said")
            tap.check(f"rtsp://127.0.0.1:{port}/cam" in r.said(), "it was not said which source it is")


NO_ENCODER = ("libav", "voaacenc", "fdkaac", "faac", "lame")  # for sound


def record_camera_of_telephone_sound(folder, *missing):
    """Of G.711, on a machine where some plugins are not installed. What was said, and the codecs of each segment."""
    port = servers.free_ports(1)[0]
    with Camera(port, folder, "pcmu"), recorder.Recorder([f"rtsp://user:pass@127.0.0.1:{port}/cam", "--to", "rec"], folder,
            env=recorder.without_plugins(folder, *missing)) as r:
        r.wait_for("segment", 3)
        r.stop()
    path = os.path.join(folder, "rec/cam1.m3u8")
    tap.m3u8_check(path)
    report = tscheck.check(path)
    # On a loaded machine packets of RTP come unevenly, and that is their times.
    findings = [f for f in report.findings if not re.search("PTS .* before DTS|DTS goes from", f)]
    tap.check(not findings, "\n".join(findings))
    tap.check(not any(e.discontinuity for e in report.playlist.entries), "there is an EXT-X-DISCONTINUITY")
    tap.check(not r.events("source-lost") and not r.events("source-retrying"), r.said())
    durations = [e.duration for e in report.playlist.entries]
    tap.check(sum(durations) / len(durations) > 0.5, f"it is shredded: {durations}")
    return r, report


def tracks_of(r):
    return {track["kind"]: track for track in r.events("source-connected")[0]["tracks"]}


def check_sound_is_missed(r, report, *words):
    """The video is whole; the sound's absence is said once, with the reason."""
    tap.check(all(list(media.codecs.values()) == ["h264"] for media in report.media), f"{[media.codecs for media in report.media]}")
    tracks = tracks_of(r)
    tap.check(tracks["video"].items() >= {"codec": "H.264", "width": 320, "height": 240, "recorded": True}.items(), tracks)
    tap.check(tracks["audio"].items() >= {"codec": "PCMU", "rate": 8000, "channels": 1, "recorded": False}.items(), tracks)
    missed = r.events("track-not-recorded")
    tap.check(len(missed) == 1, missed)
    for word in (*words, "Debian: ", "gstreamer1.0-libav"):
        tap.check(word in missed[0]["message"].replace("(Debian)", "Debian: "), missed)
    tap.check("user:pass" not in r.said(), "the password was said")


def test_camera_whose_sound_cannot_be_encoded_is_recorded_without():
    with tap.folder() as folder:
        r, report = record_camera_of_telephone_sound(folder, *NO_ENCODER)
        check_sound_is_missed(r, report, "audio (PCMU) is not recorded", "avenc_aac")


def test_camera_whose_sound_cannot_be_decoded_is_recorded_without():
    with tap.folder() as folder:
        r, report = record_camera_of_telephone_sound(folder, "libav", "mulaw")
        check_sound_is_missed(r, report, "audio (PCMU) is not recorded", "no decoder")


def test_sound_is_encoded_by_whatever_encoder_is_installed():
    for missing, shown, codec in ((("libav",), "AAC", "aac"), (NO_ENCODER[:-1], "MP3", "mp3")):
        with tap.folder() as folder:
            r, report = record_camera_of_telephone_sound(folder, *missing)
            tap.check(all(sorted(media.codecs.values()) == sorted(["h264", codec]) for media in report.media), f"{[m.codecs for m in report.media]}")
            tap.check(tracks_of(r)["audio"]["encoded-to"] == shown, tracks_of(r))
            tap.check(not r.events("track-not-recorded"), r.said())


def test_picture_that_cannot_be_encoded_leaves_the_sound():
    with tap.folder() as folder:
        with recorder.Recorder([TEST, "--to", "rec"], folder, env=recorder.without_plugins(folder, "x264", "openh264")) as r:
            r.wait_for("segment", 2)
            r.stop()
        report = check_recording(os.path.join(folder, "rec/cam1.m3u8"))
        tap.check(all(list(media.codecs.values()) == ["aac"] for media in report.media), "the sound is not alone")
        tap.check("x264enc" in r.events("track-not-recorded")[0]["message"], r.said())


def test_source_of_which_nothing_can_be_recorded_is_an_error():
    with tap.folder() as folder:
        env = recorder.without_plugins(folder, "x264", "openh264", *NO_ENCODER)
        with recorder.Recorder([TEST, "--to", "rec"], folder, env=env) as r:
            r.ended(1)
        failed = r.events("source-failed")
        tap.check(len(failed) == 1 and "x264enc" in failed[0]["reason"] and "avenc_aac" in failed[0]["reason"], r.said())
        tap.check(not glob.glob(os.path.join(folder, "rec", "*")), "there are files of no recording")


def test_source_whose_element_is_missing_is_an_error():
    with tap.folder() as folder:
        with recorder.Recorder(["rtsp://127.0.0.1:9/cam", "--to", "rec"], folder, env=recorder.without_plugins(folder, "rtsp")) as r:
            r.ended(1)
        tap.check("gstreamer1.0-plugins-good" in r.events("source-failed")[0]["reason"], r.said())


def test_file_of_which_a_stream_cannot_be_decoded_ends():
    with tap.folder() as folder:
        path = os.path.join(folder, "in.mkv")
        ffmpeg("-f", "lavfi", "-i", "testsrc=s=160x120:r=25:d=3", "-f", "lavfi", "-i", "sine=d=3", "-c:v", "libx264", "-g", "25", "-bf", "0", "-pix_fmt",
            "yuv420p", "-c:a", "wmav2", path)
        with recorder.Recorder([path, "--to", "rec"], folder, env=recorder.without_plugins(folder, "libav")) as r:
            r.ended()
        report = check_recording(os.path.join(folder, "rec/cam1.m3u8"))
        tap.check(report.playlist.duration > 2.8, f"{report.playlist.duration} s of 3 were recorded")
        tap.check("no decoder" in r.events("track-not-recorded")[0]["message"], r.said())


def test_each_stream_of_a_source_is_named():
    with tap.folder() as folder:
        path = os.path.join(folder, "in.mkv")
        ffmpeg("-f", "lavfi", "-i", "testsrc=s=160x120:r=25:d=2", "-f", "lavfi", "-i", "sine=d=2", "-map", "0", "-map", "1", "-map", "1", "-c:v",
            "libx264", "-g", "25", "-c:a", "aac", path)
        with recorder.Recorder([path, "--to", "rec"], folder) as r:
            r.ended()
        tap.check(r.events("source-connected"), r.said())
        said = r.events("source-connected")[0]
        tap.check([(t["kind"], t["codec"], t["recorded"]) for t in said["tracks"]].count(("audio", "AAC", True)) == 1, said)
        tap.check([(t["kind"], t["codec"], t["recorded"]) for t in said["tracks"]].count(("audio", "AAC", False)) == 1, said)
        tap.check("video H.264 160×120, 25 frames/s" in said["message"] and "AAC 44.1 kHz, mono, not recorded" in said["message"], said)
        tap.check(not r.events("track-not-recorded"), "a second sound track is no fault")


def ffmpeg(*arguments):
    tap.need("ffmpeg")
    return tap.run(["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *arguments])


def video_units(path):
    """The NAL units, without start codes, of which there are two forms."""
    ffmpeg("-i", path, "-map", "0:v", "-c", "copy", "-f", "h264", path + ".h264")
    with open(path + ".h264", "rb") as file:
        return [unit.rstrip(b"\0") for unit in file.read().split(b"\0\0\1")]


def audio_frames(path):
    ffmpeg("-i", path, "-map", "0:a", "-c", "copy", "-f", "adts", path + ".aac")
    with open(path + ".aac", "rb") as file:
        return file.read()


def join(folder):
    """All segments, in order, as one file: a player would read them so."""
    path = os.path.join(folder, "joined.ts")
    with open(path, "wb") as out:
        for name in sorted(glob.glob(os.path.join(folder, "rec", "*.ts"))):
            with open(name, "rb") as file:
                shutil.copyfileobj(file, out)
    return path


def record_file(path, folder, *more):
    with recorder.Recorder([path, "--to", "rec", *more], folder) as r:
        r.ended()
        check_codecs(check_recording(os.path.join(folder, "rec/cam1.m3u8")))
        return r.events("source-connected")[0]["streams"] if r.events("source-connected") else ""


def test_h264_and_aac_are_recorded_as_they_are():
    with tap.folder() as folder:
        path = os.path.join(folder, "in.ts")
        ffmpeg("-f", "lavfi", "-i", "testsrc=s=160x120:r=25:d=6", "-f", "lavfi", "-i", "sine=d=6", "-c:v", "libx264", "-g", "25", "-bf", "2",
            "-c:a", "aac", path)
        record_file(path, folder)
        before, after = video_units(path), video_units(join(folder))
        tap.check(len(before) > 150 and before == after, f"{len(before)} NAL units came, {len(after)} were recorded, or they are others")
        before, after = audio_frames(path), audio_frames(join(folder))
        # What came before the first picture, and behind the last, is not recorded.
        tap.check(after in before and len(after) > 0.9 * len(before), f"{len(before)} bytes of AAC came, {len(after)} were recorded, or others")


def test_other_codecs_are_encoded_anew():
    with tap.folder() as folder:
        path = os.path.join(folder, "in.ts")
        ffmpeg("-f", "lavfi", "-i", "testsrc=s=160x120:r=25:d=4", "-f", "lavfi", "-i", "sine=d=4", "-c:v", "mpeg2video", "-c:a", "mp2", path)
        record_file(path, folder)
        frames = ffmpeg("-i", join(folder), "-map", "0:v", "-f", "framemd5", "-").splitlines()
        count = sum(not line.startswith("#") for line in frames)
        tap.check(95 <= count <= 100, f"{count} frames of 100 were recorded")


def test_source_without_sound_or_picture_is_recorded():
    for what, made, codec in (("video", ["testsrc=s=160x120:r=25:d=3", "-c:v", "libx264", "-g", "25"], "h264"), ("audio", ["sine=d=3", "-c:a", "aac"], "aac")):
        with tap.folder() as folder:
            path = os.path.join(folder, "in.ts")
            ffmpeg("-f", "lavfi", "-i", *made, path)
            with recorder.Recorder([path, "--to", "rec"], folder) as r:
                r.ended()
            report = check_recording(os.path.join(folder, "rec/cam1.m3u8"))
            tap.check(all(list(m.codecs.values()) == [codec] for m in report.media), f"{what} alone has other codecs")
            tap.check(report.playlist.duration > 2.8, f"{report.playlist.duration} s of 3 were recorded")


def test_source_that_comes_back_with_another_codec_is_encoded_anew():
    port = udp_port()
    to = ["mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316"]
    with tap.folder() as folder, recorder.Recorder([f"udp://127.0.0.1:{port}", "--to", "rec", "--stall-timeout=1"], folder) as r:
        codecs = {"one": Publisher.AAC, "two": Publisher.MP2}
        drop_and_return(r, lambda name: Publisher(folder, codecs[name], *to), "")
        check_codecs(check_recording(os.path.join(folder, "rec/cam1.m3u8"), discontinuities=1))
        tap.check(r.events("source-back")[0]["streams"].count("encoded anew") == 2, f"{r.events('source-back')}")


def same_everywhere(folder, server, bucket):
    local = launch.files_in(os.path.join(folder, "rec"))
    launch.check_same(local, launch.files_in(os.path.join(folder, "second")), "the disk and the second one")
    launch.check_same(local, launch.files_in(server.path("cam1")), "the disk and the server")
    launch.check_same(local, bucket.objects("cam1/"), "the disk and the bucket")


def test_disk_server_and_bucket_are_the_same_though_source_and_server_drop_at_once():
    port = udp_port()
    with tap.folder() as folder, rgw.Ceph(folder) as ceph, rgw.Rgw(ceph) as gateway, servers.Nginx(folder) as server:
        user = ceph.user("cam")
        bucket = gateway.bucket("rec", user)
        env = {"AWS_ACCESS_KEY_ID": user.access_key, "AWS_SECRET_ACCESS_KEY": user.secret_key, "AWS_EC2_METADATA_DISABLED": "true",
            "AMSHLS_TO_1": server.url("/cam1", "basic", credentials=True)}
        line = SENDER.format(sink=f"udpsink host=127.0.0.1 port={port}")
        with recorder.Recorder([f"udp://127.0.0.1:{port}", "--to=rec", "--to=second", f"--to=s3://rec/cam1/ endpoint={gateway.endpoint()}",
                "--stall-timeout=1"], folder, env=env) as r:
            with sender(line, folder, "one") as one:
                r.wait_for("segment", 2)
                r.wait_for("file-uploaded", 2, lambda e: e["to"].startswith("http"))
                server.kill()
                r.wait_for_more(1)
                one.kill()
            r.wait_for("source-lost")
            with sender(line, folder, "two"):
                r.wait_for("segment", 1, lambda e: e["discontinuity"])
                r.wait_for("warning", 1, lambda e: e.get("to", "").startswith("http"))
                server.start()
                r.wait_for("info", 1, lambda e: e.get("to", "").startswith("http"))
                r.wait_for_more(1)
                r.stop()
            said = r.said()
        tap.check(servers.PASSWORD + "@" not in said and user.secret_key not in said, "a password was said")
        check_recording(os.path.join(folder, "rec/cam1.m3u8"), discontinuities=1)
        same_everywhere(folder, server, bucket)


def test_end_waits_for_what_is_not_delivered_yet():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        with recorder.Recorder([TEST, "--to=rec", f"--to={server.url('/cam1/')}"], folder) as r:
            r.wait_for("file-uploaded", 2)
            server.kill()
            r.wait_for_more(1)
            r.tell()
            r.wait_for("progress", 1, lambda e: e["draining"] and e["destinations"][0]["files"] > 1)
            server.start()
            r.ended()
        check_recording(server.path("cam1/cam1.m3u8"))
        launch.check_same(launch.files_in(os.path.join(folder, "rec")), launch.files_in(server.path("cam1")), "the disk and the server")


def test_end_that_takes_too_long_leaves_the_rest_for_the_next_start():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        to = f"--to={server.url('/cam1/')}"
        with recorder.Recorder([TEST, to, "--drain-timeout=1"], folder) as r:
            r.wait_for("segment", 2)
            server.kill()
            r.wait_for("progress", 1, lambda e: e["destinations"][0]["files"] > 2)
            r.stop()
            tap.check(r.events("warning"), "it was not said that files are left")
        server.start()
        with recorder.Recorder([TEST, to], folder, name="again") as r:
            r.wait_for("segment", 2)
            r.stop()
            tap.check(r.events("recording-started")[0]["continued"], "the recording was not continued")
        check_recording(server.path("cam1/cam1.m3u8"), discontinuities=1)


def test_server_that_is_not_there_at_the_first_start_does_not_keep_it_from_recording():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        to = f"--to={server.url('/cam1/')}"
        server.kill()
        with recorder.Recorder([TEST, to], folder) as r:
            r.wait_for("recording-started")
            server.start()
            r.wait_for("segment", 2)
            r.stop()
        name = os.path.basename(r.events("recording-started")[0]["playlist-location"])
        tap.check(re.fullmatch(r"cam1-\d{4}-.*\.m3u8", name), f"{name} has no date and time")
        tap.m3u8_check(server.path(f"cam1/{name}"))
        report = tscheck.check(server.path(f"cam1/{name}"))
        tap.check(not report.findings, "\n".join(report.findings))


def test_server_that_is_not_there_renames_nothing_beside_a_folder():
    """At no start; and what it lacks is sent when it is there."""
    with tap.folder() as folder, servers.Nginx(folder) as server:
        to = f"--to={server.url('/cam1/')}"
        server.kill()
        for number in range(2):
            with recorder.Recorder([TEST, "--to=rec", to, "--drain-timeout=1"], folder, name=f"start{number}") as r:
                r.wait_for("segment", 2)
                r.stop()
            name = os.path.basename(r.events("recording-started")[0]["playlist-location"])
            tap.check(name == "cam1.m3u8", f"start {number}: {name}")
        tap.check([os.path.basename(path) for path in glob.glob(os.path.join(folder, "rec", "*.m3u8"))] == ["cam1.m3u8"], "there are other playlists")
        server.start()
        with recorder.Recorder([TEST, "--to=rec", to], folder, name="there") as r:
            r.wait_for("segment", 2)
            r.stop()
        check_recording(os.path.join(folder, "rec/cam1.m3u8"), discontinuities=2)
        launch.check_same(launch.files_in(os.path.join(folder, "rec")), launch.files_in(server.path("cam1")), "the disk and the server")


def test_recorder_without_a_source_ends_when_told():
    with tap.folder() as folder, recorder.Recorder([f"udp://127.0.0.1:{udp_port()}", "--to", "rec", "--stall-timeout=1"], folder) as r:
        r.wait_for("source-retrying", 2)
        r.stop()
        tap.check(not glob.glob(os.path.join(folder, "rec", "*")), "there are files of no recording")


def test_delay_between_attempts_doubles_up_to_its_bound():
    """Each a little less than twice the last one, and none more than --reconnect-max."""
    port = servers.free_ports(1)[0]
    with tap.folder() as folder, recorder.Recorder([f"rtsp://127.0.0.1:{port}/cam", "--to", "rec", "--reconnect-max=2"], folder) as r:
        r.wait_for("source-retrying", 6)
        r.stop()
        tried = r.events("source-retrying")[:6]
    tap.check([e["attempts"] for e in tried] == [0, 1, 2, 3, 4, 5], tried)
    for event in tried:
        bound = min(0.25 * 2 ** event["attempts"], 2)
        tap.check(0.8 * bound - 0.001 <= event["delay"] <= bound, event)


def said_by(*arguments, code, env=None):
    done = subprocess.run([recorder.program(), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=30, check=False, env={**os.environ, **(env or {})})
    said = done.stdout.decode()
    tap.check(done.returncode == code, f"{arguments}: exit code {done.returncode}, not {code}: {said}")
    return said


def open_terminal():
    try:
        return pty.openpty()
    except OSError as error:
        raise tap.Skip(f"there is no terminal here, as /dev/pts is not mounted ({error})") from error


def test_terminal_gets_a_line_that_is_renewed():
    master, slave = open_terminal()
    with tap.folder() as folder, servers.Nginx(folder) as server:
        process = subprocess.Popen([recorder.program(), TEST, "--target-duration=1", "--to=rec", f"--to={server.url('/cam1/')}", "--duration=4"],
            stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, cwd=folder, env={**os.environ, "HOME": folder})
        os.close(slave)
        said = b""
        with contextlib.suppress(OSError):  # its end
            while part := os.read(master, 4096):
                said += part
        os.close(master)
        tap.check(process.wait(30) == 0, said.decode())
        tap.check(re.search(rb"\r\x1b\[K0:00:0\d, \d segments listed, \d\.\d MB \| http://127.0.0.1:\d+/cam1/ ", said), f"no such line: {said}")
        tap.check(all(len(line) < 80 for line in re.findall(rb"\r\x1b\[K(\d:\d\d:\d\d,[^\r\n]*)", said)[:3]), "a line is wider than the terminal")


def test_wrong_command_lines_are_one_sentence():
    wrong = [[], ["test://"], ["gopher://x", "--to=a"], ["no-such-file", "--to=a"], ["test://", "--to=ftp://x/"], ["test://", "more", "--to=a"],
        ["test://", "--to=a", "--to=./a"], ["test://", "--to=http://h/", "--to=http://h/"], ["test://", "--to=http://h/ nonsense=1"],
        ["test://", "--to=http://h/ timeout=soon"], ["test://", "--to=http://h/ word"], ["test://", "--to=http://h/ user-pw=secret"],
        ["test://", "--to=a", "--clock=sun"], ["test://", "--to=a", "--target-duration=0"], ["test://", "--to=a", "--name=a/b"],
        ["test://", "--to=a", "--unknown"], ["test://", "--to=a", "--duration=long"]]
    for arguments in wrong:
        said = said_by(*arguments, code=2)
        tap.check(said.startswith("amshls-recorder: ") and said.count("\n") == 1, f"{arguments}: {said}")
        tap.check("secret" not in said, said)


def test_help_teaches():
    said = said_by("--help", code=0)
    for word in ("rtsp://", "rtmp://", "srt://", "udp://", "test://", "s3://", "--to", "--json", "AMSHLS_SOURCE", "Exit code", "Examples"):
        tap.check(word in said, f"--help does not say {word}")
    version = said_by("--version", code=0)
    tap.check(re.fullmatch(r"amshls-recorder \d+\.\d+\.\d+\n", version), version)


def test_examples_of_the_help_are_right():
    """Each is taken by the options' check; a source or place that is not there comes later."""
    said = said_by("--help", code=0)
    lines = re.findall(r"^ +(amshls-recorder .*)$", said, re.M)
    tap.check(len(lines) >= 4, f"{len(lines)} examples")
    for line in lines:
        said_by(*subprocess.run(["sh", "-c", "printf '%s\\n' " + line.partition(" ")[2]], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines(),
            "--max-files=-1", code=2)


def test_unit_for_systemd_is_right():
    tap.need("systemd-analyze")
    unit = os.environ.get("AMS_RECORDER_UNIT")
    if not unit:
        raise tap.Skip("AMS_RECORDER_UNIT does not say where the unit is")
    with tap.folder() as folder:
        path = os.path.join(folder, os.path.basename(unit))
        with open(unit, encoding="utf-8") as file:
            text = re.sub(r"^(ExecStart=)\S+", rf"\g<1>{recorder.program()}", file.read(), flags=re.M)
        servers.write(path, text.replace("/etc/amshls/%i.conf", "-/etc/amshls/%i.conf"))
        named = path.replace("@.", "@cam1.")
        os.rename(path, named)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", named], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
            check=False)
        said = [line for line in done.stdout.decode().splitlines() if os.path.basename(named) in line]
        tap.check(done.returncode == 0 and not said, done.stdout.decode())


if __name__ == "__main__":
    tap.have_element()
    sys.exit(tap.run_tests(launch.beside_each_other(globals(), 4)))
