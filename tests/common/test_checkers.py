#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The checkers themselves: they pass what is right, and find each fault that is planted."""
import functools
import http.server
import math
import os
import re
import shutil
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mvcheck  # noqa: E402
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


# ---- a multivariant playlist ----

class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


@functools.lru_cache(maxsize=None)
def many():
    """Two videos and two sounds by ffmpeg, aligned; subtitles, an I-frame playlist and the multivariant playlist are made here."""
    tap.need("ffmpeg", "ffprobe")
    path = os.path.join(WORK, "many")
    os.makedirs(path)
    tap.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=25", "-f", "lavfi", "-i", "sine=r=48000:d=9.98",
        "-f", "lavfi", "-i", "sine=r=48000:f=220:d=9.98", "-t", "10", "-filter_complex", "[0:v]split=2[a][b];[b]scale=320:180[c]",
        "-map", "[a]", "-map", "[c]", "-map", "1:a", "-map", "2:a", "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high",
        "-level", "3.1", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0", "-b:v:0", "800k", "-b:v:1", "300k", "-c:a", "aac",
        "-b:a", "96k", "-f", "hls", "-hls_time", "2", "-hls_list_size", "0", "-hls_playlist_type", "vod",
        "-hls_flags", "independent_segments", "-master_pl_name", "ffmpeg.m3u8", "-var_stream_map",
        "v:0,agroup:a,name:hi v:1,agroup:a,name:lo a:0,agroup:a,name:en,language:en,default:yes a:1,agroup:a,name:de,language:de",
        "out_%v.m3u8"], cwd=path)
    write_subtitles(path)
    write_iframes(path, "hi")
    write_text(path, "m.m3u8", multivariant(path))
    return path


def write_text(path, name, text):
    with open(os.path.join(path, name), "w", encoding="utf-8", newline="") as f:
        f.write(text)


def read_text(path, name):
    with open(os.path.join(path, name), encoding="utf-8") as f:
        return f.read()


HEAD = "#EXTM3U\n#EXT-X-VERSION:{}\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
# ffmpeg begins 1.4 s after 0, as its muxer delays everything by that.
VTT = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:126000,LOCAL:00:00:00.000\n\n"
OVER_A_CUT = "00:00:03.500 --> 00:00:04.500 line:0\nover a cut\n\n"


def write_subtitles(path):
    cues = ["00:00:00.500 --> 00:00:01.000\nfirst\n\n", OVER_A_CUT, OVER_A_CUT, "", "last\n00:00:08.000 --> 00:00:09.000\n<i>last</i>\n\n"]
    for number, cue in enumerate(cues):
        write_text(path, f"fr{number}.vtt", VTT + cue)
    write_text(path, "fr.m3u8", HEAD.format(3) + "".join(f"#EXTINF:2.000000,\nfr{n}.vtt\n" for n in range(5)) + "#EXT-X-ENDLIST\n")


def find_iframe(packets):
    """(bytes, offset) of the first picture in a segment that has video alone."""
    starts = [i for i, p in enumerate(packets) if pid_of(p) == 0x100 and p[1] & 0x40]
    return (starts[1] - starts[0]) * PACKET, starts[0] * PACKET


def write_iframes(path, name):
    text = HEAD.format(4) + "#EXT-X-I-FRAMES-ONLY\n"
    for number in range(5):
        size, offset = find_iframe(read_packets(os.path.join(path, f"out_{name}{number}.ts")))
        text += f"#EXTINF:2.000000,\n#EXT-X-BYTERANGE:{size}@{offset}\nout_{name}{number}.ts\n"
    write_text(path, "i.m3u8", text + "#EXT-X-ENDLIST\n")


def file_rates(path, name):
    """(peak, average): each segment is a run of its own, as two are longer than 1.5 targets."""
    sizes = [os.path.getsize(os.path.join(path, f"out_{name}{n}.ts")) * 8 for n in range(5)]
    return max(sizes) / 2, sum(sizes) / 10


def multivariant(path):
    text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
    for name, language, default in (("English", "en", "YES"), ("Deutsch", "de", "NO")):
        text += f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="{name}",LANGUAGE="{language}",DEFAULT={default},AUTOSELECT=YES,CHANNELS="1",' \
            f'URI="out_{language}.m3u8"\n'
    text += '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="t",NAME="Français",LANGUAGE="fr",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="fr.m3u8"\n'
    text += '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",NAME="English",LANGUAGE="en",INSTREAM-ID="SERVICE1"\n'
    sound = [max(r) for r in zip(file_rates(path, "en"), file_rates(path, "de"))]
    for name, size, score in (("hi", "640x360", 2), ("lo", "320x180", "1.5")):
        peak, average = (a + b for a, b in zip(file_rates(path, name), sound))
        text += f"#EXT-X-STREAM-INF:BANDWIDTH={math.ceil(peak)},AVERAGE-BANDWIDTH={math.ceil(average)},SCORE={score}," \
            f'CODECS="avc1.64001f,mp4a.40.2",RESOLUTION={size},FRAME-RATE=25.000,AUDIO="a",SUBTITLES="t",CLOSED-CAPTIONS="c"\nout_{name}.m3u8\n'
    sizes = [int(s) for s in re.findall(r"BYTERANGE:(\d+)", read_text(path, "i.m3u8"))]
    text += f'#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={max(sizes) * 4},SCORE=2,CODECS="avc1.64001f",RESOLUTION=640x360,URI="i.m3u8"\n'
    return text


def plant_many(name, edits, base=many):
    """A copy of @base() in which each file of @edits is changed: by a function of its text, or of its path."""
    path = os.path.join(WORK, name)
    shutil.copytree(base(), path)
    for file, edit in edits.items():
        if file.endswith((".m3u8", ".vtt")):
            text = read_text(path, file)
            tap.check(edit(text) != text, "nothing was planted")
            write_text(path, file, edit(text))
        else:
            edit(os.path.join(path, file))
    return os.path.join(path, "m.m3u8")


def swap(old, new, count=1):
    return lambda text: text.replace(old, new, count)


def drop(pattern):
    return lambda text: re.sub(pattern, "", text)


def late(seconds):
    """Each segment's date; the first one is of 12:00 and so many seconds."""
    def edit(text):
        return text.replace("#EXTINF", f"#EXT-X-PROGRAM-DATE-TIME:2026-01-01T12:00:{seconds:06.3f}Z\n#EXTINF", 1)
    return edit


def truncate(path):
    with open(path, "wb"):
        pass


def add_sound(path):
    folder = os.path.dirname(path)
    tap.run(["ffmpeg", "-v", "error", "-i", path, "-i", os.path.join(folder, "out_en0.ts"), "-i", os.path.join(folder, "out_de0.ts"),
        "-map", "0", "-map", "1", "-map", "2", "-c", "copy", os.path.join(folder, "sounds.ts")])
    os.replace(os.path.join(folder, "sounds.ts"), path)


ALL = ("out_hi.m3u8", "out_lo.m3u8", "out_en.m3u8", "out_de.m3u8", "fr.m3u8", "i.m3u8")
STREAM = "#EXT-X-STREAM-INF:"
SECOND_GROUP = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="out_en.m3u8"\n'


def in_m(old, new, count=1):
    return {"m.m3u8": swap(old, new, count)}


def in_m_re(pattern, new):
    return {"m.m3u8": lambda text: re.sub(pattern, new, text, count=1)}


# The rule that is broken, what is changed, what is said.
MANY_FAULTS = [
    ("R1", in_m("#EXTM3U\n", ""), "not #EXTM3U"),
    ("R1", in_m("#EXT-X-MEDIA", "#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA"), "belongs to media playlists"),
    ("R1", in_m("#EXT-X-VERSION:7\n", "#EXT-X-VERSION:7\n" * 2), "more than one EXT-X-VERSION"),
    ("R1", in_m("out_lo.m3u8\n", ""), "is followed by EXT-X-I-FRAME-STREAM-INF"),
    ("R1", in_m("out_lo.m3u8\n", "out_lo.m3u8\nout_hi.m3u8\n"), "a URI without EXT-X-STREAM-INF"),
    ("R1", in_m("SCORE=2", "SCORE=2,SCORE=2"), "stands twice"),
    ("R1", in_m("SCORE=2", "score=2"), "no attribute list"),
    ("R2", in_m("VERSION:7", "VERSION:6"), "7 is needed"),
    ("R2", in_m("VERSION:7", "VERSION:8"), "7 would do"),
    ("R2", in_m("SERVICE1", "CC1"), "1 would do"),
    ("R3", {"m.m3u8": swap("#EXT-X-INDEPENDENT-SEGMENTS\n", ""), "out_lo.m3u8": lambda t: t + "# \n"}, "not in the multivariant one"),
    ("R4", in_m("#EXT-X-INDEPENDENT-SEGMENTS\n", "#EXT-X-INDEPENDENT-SEGMENTS\n" * 2), "more than once"),
    ("R7", in_m("\nout_lo.m3u8", "\nout_no.m3u8"), "out_no.m3u8 cannot be read"),
    ("R7", {"out_lo3.ts": os.unlink}, "out_lo3.ts cannot be fetched"),
    ("R7", {"out_lo3.ts": truncate}, "out_lo3.ts is empty"),
    ("R8", in_m_re("BANDWIDTH=[0-9]+", "BANDWIDTH=0"), "BANDWIDTH is 0"),
    ("R8", in_m_re("BANDWIDTH=[0-9]+,", ""), "has no BANDWIDTH"),
    ("R10", in_m_re("AVERAGE-BANDWIDTH=[0-9]+,", ""), "has no AVERAGE-BANDWIDTH"),
    ("R10", in_m_re("AVERAGE-BANDWIDTH=[0-9]+", "AVERAGE-BANDWIDTH=9000000"), "is more than"),
    ("R10", in_m_re("AVERAGE-BANDWIDTH=[0-9]+", "AVERAGE-BANDWIDTH=-5"), "is -5"),
    ("R12", in_m_re("BANDWIDTH=[0-9]+", "BANDWIDTH=9000000"), "BANDWIDTH is 9000000"),
    ("R12", in_m_re("AVERAGE-BANDWIDTH=[0-9]+", "AVERAGE-BANDWIDTH=500000"), "AVERAGE-BANDWIDTH is 500000"),
    ("R14", in_m_re("CODECS=[^=]*,RES", "RES"), "has no CODECS"),
    ("R14", in_m("mp4a.40.2", "mp4a.40.2,ec-3"), "which no rendition has"),
    ("R14", in_m("mp4a.40.2", "mp4a.40.2,mp4a.40.2"), "one twice"),
    ("R14", in_m(",mp4a.40.2", ""), "the aac is"),
    ("R15", in_m("640x360", "640x368"), "RESOLUTION is 640x368"),
    ("R16", in_m("FRAME-RATE=25.000,", ""), "no FRAME-RATE"),
    ("R16", in_m("FRAME-RATE=25.000", "FRAME-RATE=30.000"), "FRAME-RATE is 30.000"),
    ("R16", in_m("FRAME-RATE=25.000", "FRAME-RATE=25.0000"), "three decimals"),
    ("R17", in_m("FRAME-RATE", "VIDEO-RANGE=HDR,FRAME-RATE"), "VIDEO-RANGE is HDR"),
    ("R18", in_m("SCORE=2,", ""), "not on all"),
    ("R18", in_m("SCORE=2", "SCORE=-2"), "SCORE is -2"),
    ("R18", in_m(STREAM, STREAM + 'STABLE-VARIANT-ID="a",'), "STABLE-VARIANT-ID is on some"),
    ("R18", in_m(STREAM, STREAM + 'STABLE-VARIANT-ID="a b",', 2), "STABLE-VARIANT-ID is 'a b'"),
    ("R19", in_m('CLOSED-CAPTIONS="c"', "CLOSED-CAPTIONS=NONE"), "NONE is on some"),
    ("R19", in_m('CLOSED-CAPTIONS="c"', 'CLOSED-CAPTIONS="NONE"'), "NONE with quotation marks"),
    ("R19", in_m('CLOSED-CAPTIONS="c"', "CLOSED-CAPTIONS=c"), "without quotation marks"),
    ("R20", in_m('AUDIO="a"', 'AUDIO="b"'), "no AUDIO group b"),
    ("R20", in_m(',SUBTITLES="t"', ""), "a group of SUBTITLES"),
    ("R21", {"out_hi0.ts": add_sound}, "holds 2 sounds"),
    ("R22", in_m("avc1.64001f", "avc1.64001e"), "the h264 is avc1.64001f"),
    ("R25", in_m("mp4a.40.2", "mp4a.40.5"), "the aac is mp4a.40.2"),
    ("R27", in_m("#EXT-X-MEDIA", SECOND_GROUP + "#EXT-X-MEDIA"), "groups b and a have other members"),
    ("R28", in_m("Deutsch", "English"), "is twice"),
    ("R28", in_m('"de",DEFAULT=NO', '"de",DEFAULT=YES'), "several defaults"),
    ("R28", in_m("AUTOSELECT=YES", "AUTOSELECT=NO"), "not to be selected"),
    ("R28", in_m(',NAME="Deutsch"', ""), "without NAME"),
    ("R28", in_m("DEFAULT=YES", "DEFAULT=TRUE"), "DEFAULT is TRUE"),
    ("R29", in_m(',URI="fr.m3u8"', ""), "have no URI"),
    ("R29", in_m('NAME="English",LANGUAGE="en",INSTREAM', 'URI="i.m3u8",NAME="English",LANGUAGE="en",INSTREAM'), "have a URI"),
    ("R29", in_m("AUTOSELECT=YES", "AUTOSELECT=YES,FORCED=YES"), "no subtitles"),
    ("R30", in_m("SERVICE1", "SERVICE64"), "SERVICE64"),
    ("R30", in_m('LANGUAGE="de"', 'LANGUAGE="german"'), "no tag of BCP 47"),
    ("R30", in_m(',LANGUAGE="de"', ""), "has no LANGUAGE"),
    ("R31", in_m('CHANNELS="1"', 'CHANNELS="2"'), "the sound has 1"),
    ("R32", {"fr0.vtt": swap("WEBVTT\n", "")}, "does not begin with WEBVTT"),
    ("R32", {"fr0.vtt": drop("X-TIME.*\n")}, "no X-TIMESTAMP-MAP"),
    ("R32", {"fr0.vtt": swap("MPEGTS:126000", "MPEGTS:1026000")}, "s from its beginning"),
    ("R32", {"fr0.vtt": swap("MPEGTS:126000", "MPEGTS:8590060592")}, "more than 33 bits"),
    ("R32", {"fr0.vtt": swap("00:00:00.500 -->", "0.5 -->")}, "a cue without times"),
    ("R32", {"fr0.vtt": swap("00:00:01.000", "00:00:00.500")}, "ends as it begins"),
    ("R32", {"fr2.vtt": swap(OVER_A_CUT, "")}, "the next segment does not have it"),
    ("R33", {"out_lo.m3u8": swap("DURATION:2", "DURATION:3")}, "the target is 2"),
    ("R33", {"out_en.m3u8": swap("TYPE:VOD", "TYPE:EVENT")}, "EXT-X-PLAYLIST-TYPE is VOD"),
    ("R33", {"out_lo.m3u8": late(0)}, "has dates"),
    ("R33", {file: late(0 if file != "out_de.m3u8" else 0.5) for file in ALL}, "by their dates"),
    ("R33", {"out_lo.m3u8": swap("#EXTINF", '#EXT-X-DATERANGE:ID="a"\n#EXTINF')}, "other EXT-X-DATERANGEs"),
    ("R33", {"out_lo.m3u8": swap("#EXT-X-ENDLIST\n", "")}, "has ended"),
    ("R33", {"out_lo.m3u8": swap("#EXTINF", "#EXT-X-DISCONTINUITY-SEQUENCE:1\n#EXTINF")}, "after 1 in"),
    ("R34", {"out_en.m3u8": swap("#EXTINF:2.005333,\nout_en2", "#EXT-X-DISCONTINUITY\n#EXTINF:2.005333,\nout_en2")}, "discontinuities"),
    ("R35", {"out_lo.m3u8": swap("#EXTINF:2.000000", "#EXTINF:1.800000")}, "by their EXTINFs"),
    ("R36", {"out_de.m3u8": swap("MEDIA-SEQUENCE:0", "MEDIA-SEQUENCE:1")}, "begins at segment 0"),
    ("R36", {"out_de.m3u8": drop("#EXTINF.*\nout_de4.ts\n")}, "ends at segment 4"),
    ("R38", {"out_lo.m3u8": swap("#EXTINF:2.000000", "#EXTINF:2.600000")}, "rounds to more"),
    ("R39", in_m("INF:BANDWIDTH=", "INF:FRAME-RATE=25.000,BANDWIDTH=", 3), "has FRAME-RATE"),
    ("R39", {"m.m3u8": lambda t: re.sub("(I-FRAME-STREAM-INF:)BANDWIDTH=[0-9]+,", r"\1", t)}, "has no BANDWIDTH"),
    ("R40", {"i.m3u8": swap("#EXT-X-I-FRAMES-ONLY\n", "")}, "no EXT-X-I-FRAMES-ONLY"),
    ("R40", {"i.m3u8": swap("VERSION:4", "VERSION:3")}, "EXT-X-VERSION is 3"),
    ("R40", {"i.m3u8": drop("#EXTINF.*\n#EXT-X-BYTERANGE.*\nout_hi4.ts\n")}, "lasts 8.000 s"),
    ("R41", {"i.m3u8": drop("#EXT-X-BYTERANGE.*\n")}, "has no EXT-X-BYTERANGE"),
    ("R41", {"i.m3u8": lambda t: re.sub("BYTERANGE:[0-9]+", "BYTERANGE:1000", t)}, "no whole packets"),
    ("R41", {"i.m3u8": lambda t: re.sub("BYTERANGE:[0-9]+", "BYTERANGE:99999916", t)}, "beyond the end"),
    ("R41", {"i.m3u8": lambda t: re.sub("@[0-9]+", "@0", t)}, "PAT and PMT are not in front"),
    ("R41", {"i.m3u8": lambda t: re.sub("@[0-9]+", f"@{PACKET * 60}", t)}, "decodes to"),
]


def mv_finds(path, rule, text):
    findings = mvcheck.check(path).findings
    tap.check(any(f.startswith(rule + ":") and text in f for f in findings), f"not found: {rule}: {text}; but: {findings}")


def test_mv_good_passes():
    report = mvcheck.check(os.path.join(many(), "m.m3u8"))
    tap.check(not report.findings, report.findings)
    tap.check(len(report.measured) == 2, report.measured)


def test_mv_parsers_take_it():
    tap.m3u8_check(os.path.join(many(), "m.m3u8"), os.path.join(many(), "i.m3u8"))


def test_mv_planted_faults_are_found():
    for number, (rule, edits, text) in enumerate(MANY_FAULTS):
        try:
            mv_finds(plant_many(f"mv-{number}", edits), rule, text)
        except tap.Failed as failed:
            raise tap.Failed(f"{number}: {failed}") from failed


def test_mv_each_rule_has_a_fault():
    planted = {rule for rule, _, _ in MANY_FAULTS} | {"R23", "R42"}
    with open(mvcheck.__file__, encoding="utf-8") as f:
        known = set(re.findall(r'"(R\d+)"', f.read())) - {"R24", "R26"}
    tap.check(known <= planted, f"nothing is planted for {sorted(known - planted)}")


def test_mv_ffmpegs_own_playlist_lacks_what_is_known():
    # No AVERAGE-BANDWIDTH, no FRAME-RATE, a needless version; EXT-X-INDEPENDENT-SEGMENTS only below.
    rules = mvcheck.check(os.path.join(many(), "ffmpeg.m3u8")).rules()
    tap.check({"R2", "R3", "R10", "R16"} <= rules <= {"R2", "R3", "R10", "R12", "R16"}, rules)


def test_mv_rules_can_be_left_out():
    path = plant_many("ignored", in_m("640x360", "640x368"))
    tap.check(not mvcheck.check(path, ["R15"]).findings, mvcheck.check(path, ["R15"]).findings)


def test_mv_live_recording_has_other_limits():
    live = {file: swap("#EXT-X-ENDLIST\n", "") for file in ALL}
    live["fr.m3u8"] = lambda t: t.replace("#EXT-X-ENDLIST\n", "").replace("#EXTINF:2.000000,\nfr4.vtt\n", "")
    tap.check(not mvcheck.check(plant_many("live", live)).findings, "one segment apart, as delivery has them")
    live["m.m3u8"] = lambda t: re.sub(",AVERAGE-BANDWIDTH=([0-9]+)", lambda m: f",AVERAGE-BANDWIDTH={int(int(m[1]) / 1.2)}", t)
    mv_finds(plant_many("live-low", live), "R12", "of a live recording")
    live["m.m3u8"] = lambda t: re.sub(":BANDWIDTH=([0-9]+)", lambda m: f":BANDWIDTH={int(m[1]) * 2}", t)
    tap.check(not mvcheck.check(plant_many("live-high", live)).findings, "more than there is does no harm while it is live")


def test_mv_reads_from_a_server():
    handler = functools.partial(QuietHandler, directory=many())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            tap.check(not mvcheck.check(base + "/m.m3u8").findings, "as on disk")
            mv_finds(base + "/no.m3u8", "R7", "cannot be read")
        finally:
            server.shutdown()


def test_mv_gaps_are_in_order():
    def gap(text):
        return text.replace("#EXTINF:2.005333,\nout_en2", "#EXT-X-GAP\n#EXTINF:2.005333,\nout_en2")
    path = plant_many("gap", {"out_en.m3u8": gap, "out_en2.ts": os.unlink})
    tap.check(not mvcheck.check(path).findings, mvcheck.check(path).findings)


@functools.lru_cache(maxsize=None)
def fragmented():
    """H.265 in fragmented MP4 by ffmpeg, with an I-frame playlist."""
    tap.need("ffmpeg", "ffprobe")
    path = os.path.join(WORK, "fragmented")
    os.makedirs(path)
    tap.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-t", "6", "-c:v", "libx265", "-preset", "ultrafast",
        "-x265-params", "log-level=0:keyint=50:min-keyint=50:scenecut=0:transfer=bt709", "-tag:v", "hvc1", "-pix_fmt", "yuv420p", "-f", "hls",
        "-hls_time", "2", "-hls_list_size", "0", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4", "-master_pl_name", "ffmpeg.m3u8",
        "out.m3u8"], cwd=path)
    sizes = [os.path.getsize(os.path.join(path, f"out{n}.m4s")) * 8 for n in range(3)]
    # A whole fragment is taken for the picture: its first one is what is looked at.
    ranges = "".join(f"#EXTINF:2.000000,\n#EXT-X-BYTERANGE:{first_picture(path, n)}@0\nout{n}.m4s\n" for n in range(3))
    write_text(path, "i.m3u8", HEAD.format(5) + '#EXT-X-I-FRAMES-ONLY\n#EXT-X-MAP:URI="init.mp4"\n' + ranges + "#EXT-X-ENDLIST\n")
    largest = max(first_picture(path, n) for n in range(3))
    write_text(path, "m.m3u8", f"#EXTM3U\n{STREAM}BANDWIDTH={max(sizes) // 2},AVERAGE-BANDWIDTH={sum(sizes) // 6},"
        f'CODECS="hvc1.1.6.L60.90",RESOLUTION=320x180,FRAME-RATE=25.000,VIDEO-RANGE=SDR\nout.m3u8\n'
        f'#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={largest * 4},CODECS="hvc1.1.6.L60.90",RESOLUTION=320x180,URI="i.m3u8"\n')
    return path


def first_picture(path, number):
    """Bytes up to the end of the first sample, by the sizes in its trun box."""
    with open(os.path.join(path, f"out{number}.m4s"), "rb") as f:
        data = f.read()
    trun, mdat = data.index(b"trun"), data.index(b"mdat")
    flags = int.from_bytes(data[trun + 5:trun + 8], "big")
    at = trun + 12 + 4 * bool(flags & 1) + 4 * bool(flags & 4) + 4 * bool(flags & 0x100)
    return mdat + 4 + int.from_bytes(data[at:at + 4], "big")


def test_mv_h265_in_mp4_passes():
    path = os.path.join(fragmented(), "m.m3u8")
    tap.check(not mvcheck.check(path).findings, mvcheck.check(path).findings)


FRAGMENTED_FAULTS = [
    ("R23", in_m("hvc1.1.6.L60.90", "hvc1.1.4.L60.B01"), "the hevc is"),
    ("R42", {"i.m3u8": lambda t: t.replace("@0", "@100")}, "has no moof at 100"),
    ("R41", {"i.m3u8": drop("#EXT-X-MAP.*\n")}, "has no EXT-X-MAP"),
    ("R17", in_m("VIDEO-RANGE=SDR", "VIDEO-RANGE=PQ"), "VIDEO-RANGE is PQ"),
]


def test_mv_faults_in_mp4_are_found():
    for number, (rule, edits, text) in enumerate(FRAGMENTED_FAULTS):
        mv_finds(plant_many(f"mp4-{number}", edits, fragmented), rule, text)


if __name__ == "__main__":
    with tap.folder() as WORK:
        sys.exit(tap.run_tests(dict(globals())))
