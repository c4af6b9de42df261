#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records a clip in two runs, the second continuing the first, and plays it in what people play HLS with."""
import functools
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import hlsplay  # noqa: E402
import launch  # noqa: E402
import mvcheck  # noqa: E402
import serve  # noqa: E402
import tap  # noqa: E402
import tscheck  # noqa: E402

VIDEO = ("videotestsrc is-live={live} num-buffers={frames} ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=60 ! ")
AUDIO = "audiotestsrc is-live={live} num-buffers={blocks} samplesperbuffer=1024 ! audio/x-raw,rate=48000 ! avenc_aac ! "


def record(folder, pipeline, seconds, live=False):
    """One run of gst-launch-1.0 up to EOS; without live, as fast as it goes."""
    text = pipeline.format(live="true" if live else "false", frames=int(seconds * 30), blocks=int(seconds * 48000 / 1024))
    return tap.run(["gst-launch-1.0", "-e"] + text.split(), timeout=30 + seconds, cwd=folder)


@functools.lru_cache(maxsize=None)
def clip():
    """The issue's first line, twice 6 s."""
    tap.have_element()
    folder = os.path.join(WORK, "clip")
    os.makedirs(folder)
    line = (VIDEO + "amshlssink name=h target-duration=2 location=rec/cam1-%05d.ts playlist-location=rec/cam1.m3u8 "
        "multivariant-location=rec/cam1_adaptive.m3u8 " + AUDIO + "h.")
    record(folder, line, 6)
    path = os.path.join(folder, "rec", "cam1.m3u8")
    with open(path, "rb") as f:
        first = f.read()
    record(folder, line, 6)
    with open(path, "rb") as f:
        second = f.read()
    kept = first.replace(b"#EXT-X-ENDLIST\n", b"")
    tap.check(second.startswith(kept), f"the first run's playlist was changed:\n{first.decode()}\n{second.decode()}")
    return path


@functools.lru_cache(maxsize=None)
def radio():
    """Audio only, a name with the date, as the issue's third line, but an event playlist."""
    tap.have_element()
    folder = os.path.join(WORK, "radio")
    os.makedirs(folder)
    record(folder, AUDIO + "amshlssink target-duration=2 location=rec/{{segment:%Y-%m-%d}}/{{segment:%H-%M-%S.%L}}-%05d.ts "
        "playlist-location=rec/radio.m3u8", 7)
    return os.path.join(folder, "rec", "radio.m3u8")


def check_playlist(path, runs, seconds, tolerance):
    tap.m3u8_check(path)
    report = tscheck.check(path)
    tap.check(not report.findings, "\n".join(report.findings))
    entries = report.playlist.entries
    tap.check(report.playlist.ended, "no EXT-X-ENDLIST")
    joins = [e.sequence for e in entries if e.discontinuity]
    tap.check(len(joins) == runs - 1 and (not entries or not entries[0].discontinuity), f"DISCONTINUITY before segments {joins}, {runs} runs")
    total = report.playlist.duration
    tap.check(abs(total - seconds) <= tolerance, f"{total:.3f} s are listed, {seconds} s were recorded")
    left = [n for folder, _, names in os.walk(os.path.dirname(path)) for n in names if n.endswith(".part")]
    tap.check(not left, f"part files are left: {left}")


def test_clip_satisfies_the_rules():
    check_playlist(clip(), 2, 12, 0.05)


def test_radio_satisfies_the_rules():
    check_playlist(radio(), 1, 7, 0.1)


def test_audio_pad_first_satisfies_the_rules():
    tap.have_element()
    folder = os.path.join(WORK, "audio-first")
    os.makedirs(folder)
    record(folder, AUDIO + "amshlssink name=h target-duration=2 location=a-%05d.ts playlist-location=a.m3u8 " + VIDEO + "h.", 5)
    check_playlist(os.path.join(folder, "a.m3u8"), 1, 5, 0.05)


def decode_with_ffmpeg(path, frames):
    tap.need("ffmpeg")
    said = tap.run(["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-allowed_extensions", "ALL", "-i", path, "-f", "null", "-progress", "-", "-"])
    counted = re.findall(r"^frame=(\d+)", said, re.M)
    if frames:
        tap.check(counted and int(counted[-1]) == frames, f"{counted[-1] if counted else 'no'} frames decoded, {frames} were recorded\n{said[-1000:]}")
    tap.check("rror" not in said, said)


def test_ffmpeg_decodes_the_clip():
    decode_with_ffmpeg(clip(), 360)


def test_ffmpeg_decodes_the_radio():
    decode_with_ffmpeg(radio(), None)


def frames_from(path, start):
    """How many frames ffmpeg finds from there on, which seeks by the EXTINFs."""
    tap.need("ffmpeg")
    said = tap.run(["ffmpeg", "-nostdin", "-v", "error", "-allowed_extensions", "ALL", "-ss", str(start), "-i", path, "-map", "0:v", "-f", "null",
        "-progress", "-", "-"])
    return int(re.findall(r"^frame=(\d+)", said, re.M)[-1])


def check_seeks(path, seconds):
    found = {start: frames_from(path, start) for start in (6, 9.5, 10.5, 15, 19.5)}
    wrong = [f"{start} s: {count}, not {(seconds - start) * 30:.0f}" for start, count in found.items() if abs(count - (seconds - start) * 30) > 6]
    tap.check(not wrong, f"frames from there on: {'; '.join(wrong)}")


def forget_the_end(path):
    """What a kill leaves: the last segment is not listed, and there is no end."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    listed_at = [number for number, line in enumerate(lines) if line and not line.startswith("#")]
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines[:listed_at[-2] + 1]) + "\n")


def continue_and_seek(name, between=lambda path: None):
    """10 s, and 10 more by a second run: its time stamps go on, so that a seek past the join finds its frames."""
    tap.have_element()
    folder = os.path.join(WORK, name)
    os.makedirs(folder)
    path = os.path.join(folder, "rec.m3u8")
    line = VIDEO + "amshlssink name=h target-duration=2 location=rec-%05d.ts playlist-location=rec.m3u8 " + AUDIO + "h."
    record(folder, line, 10)
    between(path)
    record(folder, line, 10)
    check_playlist(path, 2, 20, 0.05)
    check_seeks(path, 20)


def test_ffmpeg_seeks_past_a_restart():
    continue_and_seek("seek")


def test_ffmpeg_seeks_past_a_crash():
    continue_and_seek("seek-crash", between=forget_the_end)


def play_with_hlsdemux(path, branches):
    requests = []
    server = serve.server(os.path.dirname(path), requests=requests)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        said = tap.run(["gst-launch-1.0", "-m", "souphttpsrc",
            f"location=http://127.0.0.1:{server.server_address[1]}/{os.path.basename(path)}", "!", "hlsdemux", "!", "tsdemux", "name=d"]
            + branches.split(), timeout=60)
    finally:
        server.shutdown()
        server.server_close()
    tap.check("ERROR" not in said and "WARN" not in said, said[-3000:])
    listed = [e.uri for e in tscheck.parse_playlist(path).entries]
    missing = [u for u in listed if not any(r == ("/" + u, 200) for r in requests)]
    tap.check(not missing, f"not fetched: {missing}")
    return said


def test_hlsdemux_plays_the_clip():
    tap.need("gst-launch-1.0")
    play_with_hlsdemux(clip(), "d. ! queue ! h264parse ! avdec_h264 ! fakesink d. ! queue ! aacparse ! avdec_aac ! fakesink")


def test_hlsdemux_plays_the_radio():
    tap.need("gst-launch-1.0")
    play_with_hlsdemux(radio(), "d. ! queue ! aacparse ! avdec_aac ! fakesink")


def test_hls_js_plays_the_clip_over_the_join():
    seen = hlsplay.play(clip(), 8)
    tap.check(seen["ok"], seen)


def multivariant():
    return clip().replace("cam1.m3u8", "cam1_adaptive.m3u8")


def test_multivariant_playlist_satisfies_the_rules():
    report = mvcheck.check(multivariant())
    tap.check(not report.findings and len(report.measured) == 1, "\n".join(map(str, report.findings)))


def test_players_play_the_multivariant_playlist():
    decode_with_ffmpeg(multivariant(), 360)
    seen = hlsplay.play(multivariant(), 8)
    tap.check(seen["ok"], seen)


def test_live_recording_is_right_at_every_moment():
    """A reader who looks all the time sees a correct playlist, and no segment that is not whole."""
    tap.have_element()
    folder = os.path.join(WORK, "live")
    os.makedirs(folder)
    path = os.path.join(folder, "rec", "live.m3u8")
    line = (VIDEO + "amshlssink name=h target-duration=2 location=rec/l-%05d.ts playlist-location=rec/live.m3u8 " + AUDIO + "h.")
    text = line.format(live="true", frames=100000, blocks=100000)
    with open(os.path.join(WORK, "live.log"), "wb") as log:
        recorder = subprocess.Popen(["gst-launch-1.0", "-e"] + text.split(), cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            versions, sizes, until = [], {}, time.monotonic() + 9
            while time.monotonic() < until:
                tap.check(recorder.poll() is None, "the recorder ended by itself")
                if os.path.exists(path):
                    playlist = tscheck.parse_playlist(path)
                    tap.check(not versions or playlist.text.startswith(versions[-1]), "an event playlist did not just grow")
                    tap.check(playlist.text.endswith(b"\n"), "the last line is not ended")
                    if not versions or playlist.text != versions[-1]:
                        versions.append(playlist.text)
                    for entry in playlist.entries:
                        size = os.path.getsize(entry.path)
                        tap.check(sizes.setdefault(entry.uri, size) == size, f"{entry.uri} changed after it was listed")
                time.sleep(0.005)
        finally:
            recorder.send_signal(signal.SIGINT)
            try:
                code = recorder.wait(20)
            except subprocess.TimeoutExpired:
                recorder.kill()
                recorder.wait()
                raise
    tap.check(code == 0, f"exit code {code}")
    tap.check(len(versions) >= 3, f"only {len(versions)} versions of the playlist in 9 s")
    tap.m3u8_check(path)
    report = tscheck.check(path)
    tap.check(not report.findings, "\n".join(report.findings))


def listed(path):
    return len(tscheck.parse_playlist(path).entries) if os.path.exists(path) else 0


def test_sender_that_is_started_again_has_picture_and_sound_together():
    """tsdemux times the first sound of the second one by the clock of the first."""
    tap.have_element()
    folder = os.path.join(WORK, "restart")
    os.makedirs(folder)
    path = os.path.join(folder, "rec", "r.m3u8")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    sender = (VIDEO.replace("=60", "=30") + "h264parse ! mpegtsmux alignment=7 name=m ! udpsink host=127.0.0.1 port=" + str(port) + " " + AUDIO +
        "aacparse ! m.").format(live="true", frames=100000, blocks=100000)
    line = (f"udpsrc address=127.0.0.1 port={port} caps=video/mpegts,systemstream=true,packetsize=188 ! tsdemux name=d d. ! queue ! h264parse ! "
        "h.video d. ! queue ! aacparse ! h.audio amshlssink name=h target-duration=1 location=rec/r-%05d.ts playlist-location=rec/r.m3u8")
    with launch.Launch(line, folder) as recording:
        for count in (4, 8, 12):
            with launch.Launch(sender, folder, name="sender"):
                launch.wait_until(lambda: listed(path) >= count, f"{count} segments are listed")
        recording.stop()
    report = tscheck.check(path)
    # On a busy machine the next sender takes more than a second to begin: a hole below discontinuity-threshold is kept.
    findings = [f for f in report.findings if not re.search(r": 1\.\d+ s between two DTS", f)]
    tap.check(not findings, "\n".join(findings))
    for entry, media in zip(report.playlist.entries, report.media):
        tap.check(sorted(media.codecs.values()) == ["aac", "h264"], f"{entry.uri} has {media.codecs}")


if __name__ == "__main__":
    with tap.folder() as WORK:
        sys.exit(tap.run_tests(dict(globals())))
