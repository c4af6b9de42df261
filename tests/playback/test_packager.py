#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Media of every codec through the MPEG-TS packager: FFmpeg finds in the segments what was in the source."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "common"))
import tap  # pylint: disable=wrong-import-position
import tscheck  # pylint: disable=wrong-import-position

REPACKAGE = os.environ["AMS_REPACKAGE"]
VIDEO = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25"]
SOUND = ["-f", "lavfi", "-i", "sine=440:r=48000"]
SOURCES = {
    "h264-b-frames": (VIDEO, ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "3", "-b_strategy", "0", "-g", "50"]),
    "h264-slices": (VIDEO, ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "0", "-g", "50", "-slices", "4"]),
    "h265": (VIDEO, ["-c:v", "libx265", "-pix_fmt", "yuv420p", "-x265-params", "log-level=none:keyint=50"]),
    "mpeg2": (VIDEO, ["-c:v", "mpeg2video", "-bf", "0", "-g", "50"]),
    "aac": (SOUND, ["-c:a", "aac", "-ac", "2"]),
    "aac-5.1-side": (SOUND, ["-c:a", "aac", "-af", "pan=5.1(side)|FL=c0|FR=c0|FC=c0|LFE=c0|SL=c0|SR=c0"]),
    "mp3": (SOUND, ["-c:a", "libmp3lame"]),
    "mp3-22050": (SOUND, ["-c:a", "libmp3lame", "-ar", "22050"]),
    "ac3": (SOUND, ["-c:a", "ac3"]),
    "eac3": (SOUND, ["-c:a", "eac3"]),
    "opus": (SOUND, ["-c:a", "libopus"]),
}


def run(*args):
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    tap.check(done.returncode == 0, f"{' '.join(args)}: {done.stderr[-2000:]}")
    tap.check(not done.stderr.strip(), f"{' '.join(args)} says: {done.stderr[:2000]}")
    return done.stdout


def decoded(path, kind):
    """What a decoder makes of it: the hash of each frame."""
    out = run("ffmpeg", "-v", "error", "-i", path, "-map", f"0:{kind}", "-f", "framemd5", "-")
    return [line.split(",")[-1].strip() for line in out.splitlines() if not line.startswith("#")]


def package(folder, name, source, options, seconds=4):
    # MP4 says when each picture is decoded, Matroska does not.
    media = os.path.join(folder, name + (".mp4" if "-c:v" in options else ".mkv"))
    run("ffmpeg", "-v", "error", *source, "-t", "10", *options, media)
    out = os.path.join(folder, name)
    os.mkdir(out)
    run(REPACKAGE, media, out, str(seconds))
    return media, os.path.join(out, "index.m3u8")


def same(name, expected, found):
    tap.check(expected, f"{name}: nothing to compare with")
    tap.check(expected == found, f"{name}: {len(found)} frames, of which others than the {len(expected)} expected: "
        f"{sum(a != b for a, b in zip(expected, found))}")


# What a decoder makes of the first frames of sound, and of the last one, depends on where a container says that they
# begin and end.
PRIMING = 4


def same_sound(name, expected, found):
    tap.check(len(expected) > 2 * PRIMING, f"{name}: nothing to compare with")
    tap.check(expected[PRIMING] in found, f"{name}: frame {PRIMING} is not there")
    rest = found[found.index(expected[PRIMING]):]
    same(name, expected[PRIMING:PRIMING + len(rest) - 1], rest[:-1])
    tap.check(len(rest) >= len(expected) - PRIMING - 1, f"{name}: {len(rest)} frames of {len(expected)}")


def try_codec(name):
    source, options = SOURCES[name]
    kind = "v" if source is VIDEO else "a"
    with tap.folder() as folder:
        media, playlist = package(folder, name, source, options)
        report = tscheck.check(playlist)
        tap.check(not report.findings, f"{name}: {report.findings[:5]}")
        compare = same if kind == "v" else same_sound
        compare(name, decoded(media, kind), decoded(playlist, kind))


def test_h264_with_b_frames():
    try_codec("h264-b-frames")


def test_h264_with_several_slices():
    try_codec("h264-slices")


def test_h265():
    try_codec("h265")


def test_mpeg2_video():
    try_codec("mpeg2")


def test_aac():
    try_codec("aac")


def test_aac_whose_layout_is_in_a_program_config_element():
    try_codec("aac-5.1-side")


def test_mp3():
    try_codec("mp3")
    try_codec("mp3-22050")


def test_ac3():
    try_codec("ac3")


def test_eac3():
    try_codec("eac3")


def test_opus():
    try_codec("opus")


def test_sound_and_picture_are_as_small_as_ffmpegs():
    with tap.folder() as folder:
        media, playlist = package(folder, "both", VIDEO + SOUND, ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "50",
            "-b:v", "300k", "-c:a", "aac", "-b:a", "64k"])
        size = sum(os.path.getsize(os.path.join(folder, "both", n)) for n in os.listdir(os.path.join(folder, "both")) if n.endswith(".ts"))
        other = os.path.join(folder, "other.ts")
        run("ffmpeg", "-v", "error", "-i", media, "-c", "copy", other)
        tap.note(f"{size} bytes, FFmpeg's {os.path.getsize(other)}")
        tap.check(size <= 1.02 * os.path.getsize(other), "more than 1.02 times what FFmpeg makes of it")
        same("pictures", decoded(media, "v"), decoded(playlist, "v"))
        same_sound("sound", decoded(media, "a"), decoded(playlist, "a"))


if __name__ == "__main__":
    sys.exit(tap.run_tests(globals()))
