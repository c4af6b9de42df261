#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks a media playlist of MPEG-TS segments against what a recording must satisfy.

    tscheck.py [--no-start] [--json] PLAYLIST...

Exit code 1 on any finding. As a module: check(playlist) returns a Report.

Every segment: whole packets; PAT, then PMT (their CRCs right), one program, no packet of a stream that the
PMT does not name; then the start of a video access unit with its parameter sets and an IDR picture (without
video: the start of an audio PES). Over the segments, up to a DISCONTINUITY or GAP: continuity counters go on, DTS
grow without a gap, the tables stay the same, and the sum of EXTINF over any run is within one video frame
of what the timestamps say. Every EXTINF rounds to at most the target and no segment is longer than the target
and half a second.
"""
import argparse
import dataclasses
import datetime
import json
import os
import re
import statistics
import sys
import urllib.parse

PACKET = 188
CLOCK = 90000
WRAP = 1 << 33
VIDEO_TYPES = {0x1B: "h264", 0x24: "h265", 0x01: "mpeg1video", 0x02: "mpeg2video"}
AUDIO_TYPES = {0x0F: "aac", 0x11: "latm", 0x03: "mp3", 0x04: "mp3", 0x81: "ac3", 0x06: "private"}
DVB_PIDS = (0x10, 0x11, 0x12, 0x14)  # NIT, SDT, EIT, TDT
MAX_GAP = 1.0  # s between the DTS of neighbours in one stream
MAX_FINDINGS = 200


def crc32_table():
    table = []
    for i in range(256):
        crc = i << 24
        for _ in range(8):
            crc = (crc << 1) ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1
        table.append(crc & 0xFFFFFFFF)
    return table


CRC_TABLE = crc32_table()


def crc32_mpeg(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = ((crc << 8) & 0xFFFFFFFF) ^ CRC_TABLE[(crc >> 24) ^ byte]
    return crc


@dataclasses.dataclass
class Entry:
    """A segment as the playlist lists it."""

    uri: str
    path: str
    duration: float
    sequence: int
    discontinuity: bool = False
    gap: bool = False
    date_time: str = None


@dataclasses.dataclass
class Playlist:
    entries: list
    target: int = None
    sequence: int = 0
    ended: bool = False
    text: bytes = b""

    @property
    def duration(self):
        return sum(e.duration for e in self.entries)


@dataclasses.dataclass
class Media:
    """What a segment's packets say. Times in seconds, unwrapped over the run."""

    bytes: int = 0
    codecs: dict = dataclasses.field(default_factory=dict)
    start: float = None  # PTS of the first video access unit (without video: of the first PES)
    end: float = None  # PTS and duration of the last frame to be shown
    frame: float = None  # duration of a video frame (without video: of a PES)
    frames: int = 0
    real: float = None  # what EXTINF should be


@dataclasses.dataclass
class Report:
    playlist: Playlist
    media: list
    findings: list

    def sessions(self):
        """The entries from one DISCONTINUITY to the next, with the date of the first: s since 1970; None: it has none."""
        sessions = []
        for entry in self.playlist.entries:
            if not sessions or entry.discontinuity:
                sessions.append([])
            sessions[-1].append(entry)
        dates = (s[0].date_time and datetime.datetime.fromisoformat(s[0].date_time.replace("Z", "+00:00")).timestamp() for s in sessions)
        return list(zip(dates, sessions))


def parse_playlist(path):
    """Reads a playlist that is taken to be well-formed (m3u8-check looks at that)."""
    with open(path, "rb") as f:
        text = f.read()
    base = os.path.dirname(os.path.abspath(path))
    playlist = Playlist([], text=text)
    duration = date_time = None
    discontinuity = gap = False
    for line in text.decode("utf-8").splitlines():
        line = line.strip()
        if line.startswith("#EXTINF:"):
            duration = float(re.match(r"#EXTINF:([0-9.]+)", line).group(1))
        elif line.startswith("#EXT-X-TARGETDURATION:"):
            playlist.target = int(line.split(":", 1)[1])
        elif line.startswith("#EXT-X-MEDIA-SEQUENCE:"):
            playlist.sequence = int(line.split(":", 1)[1])
        elif line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
            date_time = line.split(":", 1)[1]
        elif line == "#EXT-X-DISCONTINUITY":
            discontinuity = True
        elif line == "#EXT-X-GAP":
            gap = True
        elif line == "#EXT-X-ENDLIST":
            playlist.ended = True
        elif line and not line.startswith("#"):
            name = urllib.parse.unquote(line)
            playlist.entries.append(Entry(line, os.path.join(base, name), duration or 0.0,
                playlist.sequence + len(playlist.entries), discontinuity, gap, date_time))
            duration = date_time = None
            discontinuity = gap = False
    return playlist


def read_timestamp(b, at):
    return ((b[at] & 0x0E) << 29) | (b[at + 1] << 22) | ((b[at + 2] & 0xFE) << 14) | (b[at + 3] << 7) | (b[at + 4] >> 1)


def pes_header(b):
    """(PTS, DTS, where the data begin) of a PES that starts with b; None where there is none."""
    if len(b) < 9 or b[0:3] != b"\0\0\1":
        return None
    flags = b[7] >> 6
    pts = dts = None
    if flags & 2 and len(b) >= 14:
        pts = dts = read_timestamp(b, 9)
    if flags == 3 and len(b) >= 19:
        dts = read_timestamp(b, 14)
    return pts, dts, 9 + b[8]


def nal_types(data, codec):
    types = []
    at = data.find(b"\0\0\1")
    while at >= 0 and at + 3 < len(data):
        types.append(data[at + 3] & 0x1F if codec == "h264" else (data[at + 3] >> 1) & 0x3F)
        at = data.find(b"\0\0\1", at + 3)
    return types


def starts_clean(types, codec):
    """Whether an access unit with these NAL units can be the first a decoder sees; else what is wrong."""
    if codec == "h264":
        vcl = next((i for i, t in enumerate(types) if 1 <= t <= 5), None)
        needed = {7: "SPS", 8: "PPS"}
        random_access = (5,)
    elif codec == "h265":
        vcl = next((i for i, t in enumerate(types) if t <= 31), None)
        needed = {32: "VPS", 33: "SPS", 34: "PPS"}
        random_access = tuple(range(16, 22))
    else:
        return None
    if vcl is None:
        return "its first access unit has no picture"
    missing = [name for t, name in needed.items() if t not in types[:vcl]]
    if missing:
        return "its first access unit lacks " + ", ".join(missing)
    if types[vcl] not in random_access:
        return f"its first picture is no IDR (NAL unit type {types[vcl]})"
    return None


def adts_samples(data):
    """(samples, rate) of the whole ADTS frames in data."""
    rates = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
    samples, rate, at = 0, None, 0
    while at + 7 <= len(data) and data[at] == 0xFF and data[at + 1] & 0xF6 == 0xF0:
        size = ((data[at + 3] & 3) << 11) | (data[at + 4] << 3) | (data[at + 5] >> 5)
        index = (data[at + 2] >> 2) & 15
        if size < 7 or index >= len(rates):
            break
        rate = rates[index]
        samples += 1024 * ((data[at + 6] & 3) + 1)
        at += size
    return samples, rate


class Run:
    """What is carried from segment to segment until a DISCONTINUITY."""

    def __init__(self):
        self.counters = {}
        self.tables_sent = {}
        self.last_dts = {}
        self.reference = None
        self.tables = None

    def unwrap(self, ticks):
        if ticks is None:
            return None
        if self.reference is None:
            self.reference = ticks
            return ticks
        value = self.reference + ((ticks - self.reference + WRAP // 2) % WRAP) - WRAP // 2
        self.reference = max(self.reference, value)
        return value


class Segment:
    """Reads one segment."""

    def __init__(self, run, say):
        self.run = run
        self.say = say
        self.media = Media()
        self.pmt_pid = None
        self.program = None
        self.streams = {}
        self.video = None
        self.pts = {}
        self.first_seen = False
        self.first_unit = None
        self.open_first = False
        self.last_audio = {}

    def section(self, packet, payload_at):
        at = payload_at + 1 + packet[payload_at]
        length = ((packet[at + 1] & 0x0F) << 8) | packet[at + 2]
        return packet[at:at + 3 + length]

    def read_pat(self, section):
        programs = [((section[i] << 8) | section[i + 1], ((section[i + 2] & 0x1F) << 8) | section[i + 3])
            for i in range(8, len(section) - 4, 4)]
        programs = [p for p in programs if p[0] != 0]
        if len(programs) != 1:
            self.say(f"{len(programs)} programs in its PAT")
        if programs:
            self.program, self.pmt_pid = programs[0]

    def read_pmt(self, section):
        if (section[3] << 8) | section[4] != self.program:
            self.say("its PMT is of another program than its PAT says")
        at = 12 + (((section[10] & 0x0F) << 8) | section[11])
        streams = {}
        while at + 5 <= len(section) - 4:
            pid = ((section[at + 1] & 0x1F) << 8) | section[at + 2]
            streams[pid] = section[at]
            at += 5 + (((section[at + 3] & 0x0F) << 8) | section[at + 4])
        if self.streams and self.streams != streams:
            self.say("its PMT changes within the segment")
        self.streams = streams
        self.media.codecs = {pid: VIDEO_TYPES.get(t) or AUDIO_TYPES.get(t, hex(t)) for pid, t in streams.items()}
        self.video = next((pid for pid, t in streams.items() if t in VIDEO_TYPES), None)
        if not streams:
            self.say("its PMT names no stream")
        tables = (self.program, self.pmt_pid, tuple(sorted(streams.items())))
        if self.run.tables is not None and self.run.tables != tables:
            self.say("its program differs from the segment before, without a DISCONTINUITY")
        self.run.tables = tables

    def finish_first_unit(self):
        self.open_first = False
        data = bytes(self.first_unit)
        header = pes_header(data)
        codec = self.media.codecs.get(self.video)
        if header is None:
            return
        wrong = starts_clean(nal_types(data[header[2]:], codec), codec)
        if wrong:
            self.say(wrong)

    def start_pes(self, pid, data):
        header = pes_header(data)
        if header is None:
            self.say(f"PID {pid}: no PES header where a unit starts")
            return
        pts, dts = self.run.unwrap(header[0]), self.run.unwrap(header[1])
        if pts is None:
            return
        self.pts.setdefault(pid, []).append(pts)
        if pts < dts:
            self.say(f"PID {pid}: PTS {pts} before DTS {dts}")
        last = self.run.last_dts.get(pid)
        if last is not None:
            if dts <= last:
                self.say(f"PID {pid}: DTS goes from {last} to {dts}")
            elif dts - last > MAX_GAP * CLOCK:
                self.say(f"PID {pid}: {(dts - last) / CLOCK:.3f} s between two DTS")
        self.run.last_dts[pid] = dts

    def read(self, data, check_start=True):
        say, counters = self.say, self.run.counters
        self.media.bytes = len(data)
        if not data:
            say("is empty")
            return self.media
        if len(data) % PACKET:
            say(f"is no whole number of packets ({len(data)} bytes)")
        good_sections = set()
        audio_tail = {}
        index = 0
        for at in range(0, len(data) - PACKET + 1, PACKET):
            if data[at] != 0x47:
                say(f"no sync byte at {at}")
                return self.media
            b1, b3 = data[at + 1], data[at + 3]
            pid = ((b1 & 0x1F) << 8) | data[at + 2]
            if pid == 0x1FFF:
                continue
            if b1 & 0x80:
                say(f"PID {pid}: transport error indicator at {at}")
            if index < 2 and check_start:
                if index == 0 and pid != 0:
                    say("its first packet is no PAT")
                elif index == 1 and pid != self.pmt_pid:
                    say("its second packet is no PMT")
                index += 1
            flagged = False
            payload = at + 4
            if b3 & 0x20:
                if data[at + 4] and data[at + 5] & 0x80:
                    flagged = True
                payload += 1 + data[at + 4]
            if b3 & 0x10:
                last, counter = counters.get(pid), b3 & 0x0F
                packet = bytes(data[at:at + PACKET]) if pid in (0, self.pmt_pid) else None
                # ISO 13818-1, 2.4.3.3: a packet may be sent twice, not more often.
                repeated = packet is not None and packet == self.run.tables_sent.get(pid)
                self.run.tables_sent[pid] = None if repeated else packet
                if last is not None and not repeated and not flagged and counter != (last + 1) & 0x0F:
                    say(f"PID {pid}: continuity counter goes from {last} to {counter} at {at}")
                counters[pid] = counter
            elif pid not in counters:
                counters[pid] = b3 & 0x0F
            if pid == 0 or pid == self.pmt_pid:
                if b3 & 0x10 and b1 & 0x40:
                    section = self.section(data[at:at + PACKET], payload - at)
                    if section not in good_sections:
                        if crc32_mpeg(section) != 0:
                            say(f"PID {pid}: wrong CRC at {at}")
                        good_sections.add(section)
                    if pid == 0:
                        self.read_pat(section)
                    else:
                        self.read_pmt(section)
                continue
            if pid in DVB_PIDS:
                continue
            if not self.streams:
                if check_start:
                    say("media come before PAT and PMT")
                    check_start = False
                continue
            if pid not in self.streams:
                say(f"PID {pid} is not in the PMT, at {at}")
                continue
            start = b1 & 0x40
            if not self.first_seen and b3 & 0x10:
                self.first_seen = True
                if check_start:
                    if self.video is not None and pid != self.video:
                        say(f"its first media are not video but PID {pid}")
                    elif not start:
                        say("its first media are not the start of a unit")
                    elif self.video is not None:
                        self.first_unit = bytearray()
                        self.open_first = True
            if start:
                if self.open_first and pid == self.video and self.first_unit:
                    self.finish_first_unit()
                self.start_pes(pid, data[payload:at + PACKET])
                if pid != self.video:
                    audio_tail[pid] = bytearray()
            if self.open_first and pid == self.video:
                self.first_unit += data[payload:at + PACKET]
            if pid != self.video and pid in audio_tail:
                audio_tail[pid] += data[payload:at + PACKET]
        if self.open_first and self.first_unit:
            self.finish_first_unit()
        self.measure(audio_tail)
        return self.media

    def measure(self, audio_tail):
        media = self.media
        pid = self.video
        if pid is None:
            pid = next(iter(self.streams), None)
        pts = self.pts.get(pid)
        if not pts:
            self.say("has no timestamps")
            return
        media.start = pts[0] / CLOCK
        media.frames = len(pts)
        shown = sorted(pts)
        steps = [b - a for a, b in zip(shown, shown[1:])]
        media.frame = statistics.median(steps) / CLOCK if steps else None
        last = media.frame
        if pid != self.video and self.streams.get(pid) == 0x0F:
            header = pes_header(bytes(audio_tail[pid]))
            samples, rate = adts_samples(bytes(audio_tail[pid])[header[2]:]) if header else (0, None)
            if rate:
                last = samples / rate
                media.frame = max(media.frame or 0, last)
        media.end = shown[-1] / CLOCK + (last or 0)


def check_durations(playlist, media, say):
    """ΣEXTINF of any run against the timestamps."""
    entries = playlist.entries
    frames = [m.frame for m in media if m is not None and m.frame]
    usual = statistics.median(frames) if frames else 0.04
    runs, current = [], []
    for i, (entry, m) in enumerate(zip(entries, media)):
        if entry.discontinuity or entry.gap or m is None or m.start is None:
            if current:
                runs.append(current)
            current = []
        if m is not None and m.start is not None:
            current.append(i)
    if current:
        runs.append(current)
    for run in runs:
        for i, following in zip(run, run[1:] + [None]):
            m = media[i]
            if following is not None:
                m.real = media[following].start - m.start
            else:
                m.real = m.end - m.start + (usual if m.frame is None else 0)
        tolerance = max(m.frame or usual for m in (media[i] for i in run)) + 0.001
        error = low = high = 0.0
        low_at = high_at = run[0]
        said = False
        for i in run:
            error += entries[i].duration - media[i].real
            if error < low:
                low, low_at = error, i
            if error > high:
                high, high_at = error, i
            if high - low > tolerance and not said:
                said = True
                a, b = sorted((low_at, high_at))
                say(entries[b], f"EXTINF from segment {entries[a].sequence} on is {(high - low) * 1000:.1f} ms from the truth "
                    f"(this one says {entries[b].duration:.6f} s, the timestamps {media[b].real:.6f} s)")


def check(path, check_start=True):
    playlist = parse_playlist(path)
    findings = []

    def say(entry, text):
        if len(findings) < MAX_FINDINGS:
            findings.append(f"{os.path.basename(path)}: {entry.uri if entry else ''}: {text}")

    if playlist.target is None:
        say(None, "no EXT-X-TARGETDURATION")
    if not playlist.entries:
        say(None, "lists no segment")
    seen = set()
    media = []
    run = Run()
    for entry in playlist.entries:
        if entry.path in seen:
            say(entry, "is listed twice")
        seen.add(entry.path)
        if entry.discontinuity:
            run = Run()
        if entry.gap:
            media.append(None)
            run = Run()
            continue
        if playlist.target is not None:
            if int(entry.duration + 0.5) > playlist.target:
                say(entry, f"EXTINF {entry.duration} rounds to more than the target {playlist.target}")
        try:
            with open(entry.path, "rb") as f:
                data = f.read()
        except OSError as e:
            say(entry, f"cannot be read: {e.strerror}")
            media.append(None)
            run = Run()
            continue
        media.append(Segment(run, lambda text, e=entry: say(e, text)).read(data, check_start))
    check_durations(playlist, media, say)
    for entry, m in zip(playlist.entries, media):
        if m is not None and m.real is not None and playlist.target is not None and m.real > playlist.target + 0.5:
            say(entry, f"lasts {m.real:.3f} s, the target is {playlist.target}")
    return Report(playlist, media, findings)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-start", action="store_true", help="a segment need not start with PAT, PMT and an IDR")
    parser.add_argument("--json", action="store_true", help="print what was measured")
    parser.add_argument("playlist", nargs="+")
    args = parser.parse_args()
    bad = 0
    for path in args.playlist:
        try:
            report = check(path, not args.no_start)
        except (OSError, ValueError, AttributeError) as error:
            print(f"FAIL {path}: cannot be read: {error}")
            bad += 1
            continue
        for finding in report.findings:
            print("FAIL", finding)
        bad += len(report.findings)
        if args.json:
            print(json.dumps([dict(dataclasses.asdict(e), media=m and dataclasses.asdict(m))
                for e, m in zip(report.playlist.entries, report.media)], indent=1))
        else:
            size = sum(m.bytes for m in report.media if m)
            print(f"{path}: {len(report.playlist.entries)} segments, {report.playlist.duration:.3f} s, {size} bytes, "
                f"{len(report.findings)} findings")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
