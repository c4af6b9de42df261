#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The checkers themselves: they pass what is right, and find each fault that is planted."""
import functools
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402
import tscheck  # noqa: E402

PACKET = tscheck.PACKET


@functools.lru_cache(maxsize=None)
def good():
    """A recording by ffmpeg, 10 s with B-frames, its SDT taken out, as PAT must come first."""
    tap.need("ffmpeg")
    path = os.path.join(WORK, "good")
    os.makedirs(path)
    tap.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=30", "-f", "lavfi", "-i", "sine=r=48000",
        "-t", "10", "-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-bf", "2", "-c:a", "aac", "-f", "hls",
        "-hls_time", "2", "-hls_list_size", "0", "-hls_playlist_type", "event", os.path.join(path, "out.m3u8")])
    for name in os.listdir(path):
        if name.endswith(".ts"):
            packets = read_packets(os.path.join(path, name))
            write_packets(os.path.join(path, name), [p for p in packets if pid_of(p) != 0x11])
    return path


def pid_of(packet):
    return ((packet[1] & 0x1F) << 8) | packet[2]


def read_packets(path):
    with open(path, "rb") as f:
        data = f.read()
    return [bytearray(data[i:i + PACKET]) for i in range(0, len(data), PACKET)]


def write_packets(path, packets):
    with open(path, "wb") as f:
        f.write(b"".join(packets))


def plant(name, edit=None, segment=None, playlist=None):
    """A copy of good() with one fault; edit changes the packets of a segment, playlist the text."""
    path = os.path.join(WORK, name)
    shutil.copytree(good(), path)
    if edit:
        file = os.path.join(path, f"out{segment}.ts")
        write_packets(file, edit(read_packets(file)))
    if playlist:
        file = os.path.join(path, "out.m3u8")
        with open(file, encoding="utf-8") as f:
            text = f.read()
        changed = playlist(text)
        tap.check(changed != text, "nothing was planted")
        with open(file, "w", encoding="utf-8", newline="") as f:
            f.write(changed)
    return os.path.join(path, "out.m3u8")


def finds(path, text):
    findings = tscheck.check(path).findings
    tap.check(any(text in f for f in findings), f"not found: {text}; but: {findings}")


def refuses(path, text):
    tap.need("node")
    said = tap.run(["node", os.path.join(tap.COMMON, "m3u8-check.mjs"), path], ok=(1, 77))
    if "no parsers in" in said:
        raise tap.Skip("the parsers are not installed")
    tap.check(text in said, f"not found: {text}; but: {said}")


def test_ts_good_passes():
    report = tscheck.check(os.path.join(good(), "out.m3u8"))
    tap.check(not report.findings, report.findings)
    tap.check(sum(m.frames for m in report.media) == 300, "300 frames were recorded")
    tap.check(abs(sum(m.real for m in report.media) - 10) < 0.001, "10 s were recorded")


def test_ts_discontinuity_allows_a_new_start():
    path = plant("joined", playlist=lambda t: t.replace("#EXT-X-ENDLIST\n",
        "#EXT-X-DISCONTINUITY\n#EXTINF:2.000000,\n../good/out0.ts\n#EXT-X-ENDLIST\n"))
    tap.check(not tscheck.check(path).findings, tscheck.check(path).findings)


def test_ts_missing_discontinuity_is_found():
    path = plant("unjoined", playlist=lambda t: t.replace("#EXT-X-ENDLIST\n",
        "#EXTINF:2.000000,\n../good/out0.ts\n#EXT-X-ENDLIST\n"))
    finds(path, "continuity counter")
    finds(path, "DTS goes from")


def test_ts_swapped_tables_are_found():
    def swap(p):
        return [p[1], p[0]] + p[2:]
    finds(plant("swapped", swap, 1), "its first packet is no PAT")


def test_ts_absent_tables_are_found():
    finds(plant("bare", lambda p: [x for x in p if pid_of(x) not in (0, 0x1000)], 2), "media come before PAT and PMT")


def test_ts_wrong_crc_is_found():
    def spoil(p):
        p[0][4 + 1 + 11] ^= 1
        return p
    finds(plant("crc", spoil, 0), "wrong CRC")


def test_ts_counter_jump_within_a_segment_is_found():
    def drop(p):
        at = [i for i, x in enumerate(p) if pid_of(x) == 0x100 and not x[1] & 0x40][40]
        return p[:at] + p[at + 1:]
    finds(plant("jump", drop, 1), "continuity counter")


def test_ts_counter_jump_between_segments_is_found():
    def shift(p):
        for x in p:
            if pid_of(x) == 0x101:
                x[3] = (x[3] & 0xF0) | ((x[3] + 3) & 0x0F)
        return p
    finds(plant("between", shift, 2), "PID 257: continuity counter")


def test_ts_audio_first_is_found():
    def swap(p):
        at = next(i for i, x in enumerate(p) if pid_of(x) == 0x101)
        return p[:2] + [p[at]] + p[2:at] + p[at + 1:]
    finds(plant("audio", swap, 1), "its first media are not video")


def test_ts_start_without_keyframe_is_found():
    def cut(p):
        units = [i for i, x in enumerate(p) if pid_of(x) == 0x100 and x[1] & 0x40]
        return p[:2] + p[units[1]:]
    finds(plant("nokey", cut, 1), "its first access unit lacks SPS, PPS")


def test_ts_torn_packet_is_found():
    def tear(p):
        p[-1] = p[-1][:100]
        return p
    finds(plant("torn", tear, 4), "no whole number of packets")


def test_ts_wrong_duration_is_found():
    finds(plant("long", playlist=lambda t: t.replace("#EXTINF:2.000000", "#EXTINF:2.040000", 2)), "from the truth")


def test_ts_drift_is_found():
    finds(plant("drift", playlist=lambda t: t.replace("#EXTINF:2.000000", "#EXTINF:2.010000")), "from the truth")


def test_ts_missing_last_frame_is_found():
    def shorten(text):
        head, tail = text.rsplit("#EXTINF:2.000000", 1)
        return head + "#EXTINF:1.960000" + tail
    finds(plant("last", playlist=shorten), "from the truth")


def test_ts_missing_segment_file_is_found():
    path = plant("lost")
    os.unlink(os.path.join(os.path.dirname(path), "out3.ts"))
    finds(path, "cannot be read")


def test_ts_duration_over_target_is_found():
    finds(plant("target", playlist=lambda t: t.replace("TARGETDURATION:2", "TARGETDURATION:1")), "rounds to more than the target")


def test_m3u8_good_passes():
    tap.m3u8_check(os.path.join(good(), "out.m3u8"))


FAULTS = [
    ("no newline at the end", lambda t: t[:-1], "the last line is not ended"),
    ("BOM", lambda t: "\ufeff" + t, "BOM"),
    ("no header", lambda t: t.replace("#EXTM3U\n", ""), "not #EXTM3U"),
    ("EXTINF over target", lambda t: t.replace("#EXTINF:2.0", "#EXTINF:2.6", 1), "rounds to more than the target"),
    ("float noise", lambda t: t.replace("#EXTINF:2.000000", "#EXTINF:1.9600000381469727", 1), "more than microseconds"),
    ("EXTINF not a number", lambda t: t.replace("#EXTINF:2.000000", "#EXTINF:nan", 1), "no decimal number"),
    ("no comma", lambda t: t.replace("2.000000,", "2.000000", 1), "no comma"),
    ("no target", lambda t: t.replace("#EXT-X-TARGETDURATION:2\n", ""), "no EXT-X-TARGETDURATION"),
    ("decimal target", lambda t: t.replace("TARGETDURATION:2", "TARGETDURATION:2.0"), "no integer"),
    ("late sequence", lambda t: t.replace("#EXT-X-MEDIA-SEQUENCE:0\n", "").replace("out0.ts\n", "out0.ts\n#EXT-X-MEDIA-SEQUENCE:0\n"),
     "after the first segment"),
    ("date without zone", lambda t: t.replace("#EXTINF", "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000\n#EXTINF", 1), "RFC 3339"),
    ("date without ms", lambda t: t.replace("#EXTINF", "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z\n#EXTINF", 1), "RFC 3339"),
    ("no date after a discontinuity", lambda t: t.replace("#EXTINF", "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n#EXTINF", 1)
     .replace("out0.ts\n", "out0.ts\n#EXT-X-DISCONTINUITY\n"), "after the DISCONTINUITY"),
    ("line after ENDLIST", lambda t: t + "#EXTINF:2.000000,\nout9.ts\n", "follows EXT-X-ENDLIST"),
    ("version too low", lambda t: t.replace("VERSION:3", "VERSION:2"), "needs version 3"),
    ("version too high", lambda t: t.replace("VERSION:3", "VERSION:7"), "would do"),
    ("listed twice", lambda t: t.replace("out1.ts", "out0.ts"), "listed twice"),
    ("no URI", lambda t: t.replace("out4.ts\n", ""), "tags but no URI"),
    ("space in URI", lambda t: t.replace("out1.ts", "out 1.ts"), "no URI"),
    ("VOD without end", lambda t: t.replace("EVENT", "VOD").replace("#EXT-X-ENDLIST\n", ""), "VOD without"),
]


def test_m3u8_planted_faults_are_found():
    for number, (name, edit, text) in enumerate(FAULTS):
        try:
            refuses(plant(f"m3u8-{number}", playlist=edit), text)
        except tap.Failed as failed:
            raise tap.Failed(f"{name}: {failed}") from failed


if __name__ == "__main__":
    with tap.folder() as WORK:
        sys.exit(tap.run_tests(dict(globals())))
