#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks a multivariant playlist, a file or a URL, and all that it leads to, against RFC 8216bis and Apple's authoring specification.

    mvcheck.py [--ignore RULE,...] [--json] PLAYLIST...

Exit code 1 on any finding. As a module: check(playlist) returns a Report. Each finding begins with the rule that is broken:

    R1 … R7    the file: its first line, version, tags; everything that it names can be fetched
    R8 … R12   BANDWIDTH, AVERAGE-BANDWIDTH against the sizes of the segments
    R14 … R21  CODECS, RESOLUTION, FRAME-RATE, VIDEO-RANGE against the media (by ffprobe); SCORE; groups
    R22 … R26  each codec's own string
    R27 … R32  EXT-X-MEDIA; WebVTT segments
    R33 … R38  the media playlists against each other: numbers, discontinuities, dates, target, durations
    R39 … R42  I-frame playlists

It shares no code with what writes playlists. While a recording is live, its playlists may be one segment apart.
"""
import argparse
import dataclasses
import datetime
import functools
import json
import math
import os
import re
import subprocess
import sys
import urllib.parse
import urllib.request

MEDIA_TAGS = ("EXTINF", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-ENDLIST", "EXT-X-PLAYLIST-TYPE",
    "EXT-X-I-FRAMES-ONLY", "EXT-X-BYTERANGE", "EXT-X-DISCONTINUITY", "EXT-X-KEY", "EXT-X-MAP", "EXT-X-PROGRAM-DATE-TIME", "EXT-X-GAP",
    "EXT-X-DATERANGE", "EXT-X-BITRATE", "EXT-X-PART", "EXT-X-SERVER-CONTROL")
# RFC 5646, 2.1, with a language of two or three letters: no longer one is registered.
LANGUAGE = re.compile(r"""(?ix) ( [a-z]{2,3} (-[a-z]{3}){0,3} (-[a-z]{4})? (-([a-z]{2}|[0-9]{3}))? (-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*
    (-[0-9a-wyz](-[a-z0-9]{2,8})+)* (-x(-[a-z0-9]{1,8})+)? | x(-[a-z0-9]{1,8})+ | i-[a-z]{3,8} )""")
CUE_TIMES = re.compile(r"((?:\d{2,}:)?\d\d:\d\d\.\d{3})[ \t]+-->[ \t]+((?:\d{2,}:)?\d\d:\d\d\.\d{3})(?:[ \t].*)?")
TRANSFERS = {"bt709": "SDR", "smpte170m": "SDR", "iec61966-2-1": "SDR", "bt2020-10": "SDR", "bt2020-12": "SDR", "smpte2084": "PQ", "arib-std-b67": "HLG"}
AAC_PROFILES = {"Main": 1, "LC": 2, "SSR": 3, "LTP": 4, "HE-AAC": 5, "HE-AACv2": 29, "LD": 23, "ELD": 39, "xHE-AAC": 42}
SAME_IN_GROUPS = ("LANGUAGE", "ASSOC-LANGUAGE", "DEFAULT", "AUTOSELECT", "FORCED", "CHARACTERISTICS")
PACKET = 188
WRAP = 1 << 33
FRAME_TOLERANCE = 0.1  # s: one picture of slow video
SAMPLES = 4  # segments of each playlist that are given to ffprobe


@dataclasses.dataclass
class Segment:
    """A line of a media playlist with its tags."""

    uri: str
    number: int
    duration: float = 0.0
    byterange: tuple = None  # (size, offset)
    map: str = None
    gap: bool = False
    discontinuity: bool = False
    discontinuities: int = 0  # EXT-X-DISCONTINUITY-SEQUENCE of the segment
    date: float = None  # s since 1970
    start: float = 0.0  # s since the first listed segment


@dataclasses.dataclass
class Media:
    """A media playlist."""

    uri: str
    text: str
    tags: dict  # of the playlist as a whole: name → value
    segments: list
    dateranges: set

    @property
    def target(self):
        return int(self.tags.get("EXT-X-TARGETDURATION", "0"))

    @property
    def ended(self):
        return "EXT-X-ENDLIST" in self.tags

    @property
    def duration(self):
        return sum(s.duration for s in self.segments)

    def by_number(self):
        return {s.number: s for s in self.segments}


@dataclasses.dataclass
class Report:
    findings: list
    measured: dict  # URI of a variant → (peak, average)

    def rules(self):
        """The rules that are broken."""
        return {f.split(":", 1)[0] for f in self.findings}


# ---- reading ----

class Source:
    """A folder or a server. A name is relative to the multivariant playlist."""

    def __init__(self, location):
        self.remote = "://" in location
        self.location = location if self.remote else os.path.abspath(location)

    def join(self, base, uri):
        if self.remote or "://" in uri:
            return urllib.parse.urljoin(base, uri)
        return os.path.join(os.path.dirname(base), urllib.parse.unquote(uri))

    @functools.cache
    def read(self, place):
        if "://" in place:
            with urllib.request.urlopen(place, timeout=30) as answer:
                return answer.read()
        with open(place, "rb") as file:
            return file.read()

    def size(self, place):
        if "://" not in place:
            return os.path.getsize(place)
        return len(self.read(place))


def parse_attributes(text, say):
    """The attribute list of a tag, quotes kept."""
    found, at = {}, 0
    pattern = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)')
    while at < len(text):
        match = pattern.match(text, at)
        if not match:
            say("R1", f"no attribute list: {text[at:at + 60]!r}")
            return found
        if match[1] in found:
            say("R1", f"{match[1]} stands twice in {text[:60]!r}")
        found[match[1]] = match[2]
        at = match.end()
        if match[3] == "," and at == len(text):
            say("R1", f"a comma ends {text[-60:]!r}")
    return found


def unquote(value):
    return value[1:-1] if value is not None and value.startswith('"') else value


def split_tag(line):
    """("EXT-X-MEDIA", "TYPE=…")"""
    name, _, value = line[1:].partition(":")
    return name, value


def parse_date(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def parse_media(uri, data, say):
    media = Media(uri, data.decode("utf-8", "replace"), {}, [], set())
    state = {"discontinuities": 0, "map": None, "next": {}, "end_of_range": {}, "date": None, "start": 0.0}
    lines = media.text.splitlines()
    if not lines or lines[0] != "#EXTM3U":
        say("R7", f"{uri} is no playlist")
    for line in lines:
        if line.startswith("#EXT"):
            read_media_tag(media, *split_tag(line), state, say)
        elif line and not line.startswith("#"):
            add_segment(media, line, state)
    return media


def read_media_tag(media, name, value, state, say):
    following = state["next"]
    if name == "EXTINF":
        following["duration"] = float(value.split(",")[0])
    elif name == "EXT-X-BYTERANGE":
        size, _, offset = value.partition("@")
        following["byterange"] = (int(size), int(offset) if offset else None)
    elif name == "EXT-X-MAP":
        state["map"] = unquote(parse_attributes(value, say).get("URI"))
    elif name == "EXT-X-GAP":
        following["gap"] = True
    elif name == "EXT-X-DISCONTINUITY":
        following["discontinuity"] = True
        state["discontinuities"] += 1
    elif name == "EXT-X-PROGRAM-DATE-TIME":
        state["date"] = parse_date(value)
    elif name == "EXT-X-DATERANGE":
        media.dateranges.add(value)
    elif name in media.tags:
        say("R4", f"{media.uri}: {name} stands twice")
    else:
        media.tags[name] = value


def add_segment(media, uri, state):
    first = int(media.tags.get("EXT-X-MEDIA-SEQUENCE", "0"))
    segment = Segment(uri, first + len(media.segments), map=state["map"], date=state["date"], start=state["start"], **state["next"])
    segment.discontinuities = int(media.tags.get("EXT-X-DISCONTINUITY-SEQUENCE", "0")) + state["discontinuities"]
    if segment.byterange and segment.byterange[1] is None:
        segment.byterange = (segment.byterange[0], state["end_of_range"].get(uri, 0))
    if segment.byterange:
        state["end_of_range"][uri] = sum(segment.byterange)
    state["start"] += segment.duration
    if state["date"] is not None:
        state["date"] += segment.duration
    state["next"] = {}
    media.segments.append(segment)


# ---- media ----

def run_tool(command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=False).stdout


@functools.lru_cache(maxsize=512)
def probe_streams(data):
    """What ffprobe says of the streams in these bytes."""
    said = run_tool(["ffprobe", "-v", "error", "-show_entries", "stream=codec_type,codec_name,profile,width,height,r_frame_rate,"
        "avg_frame_rate,color_transfer,channels,start_pts,start_time", "-of", "json", "-"], data)
    return json.loads(said or b"{}").get("streams", [])


@functools.lru_cache(maxsize=512)
def count_pictures(data):
    """(pictures that decode, those that are key pictures)"""
    said = run_tool(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=key_frame", "-of", "csv=p=0", "-"], data)
    flags = said.decode().split()
    return len(flags), sum(f.startswith("1") for f in flags)


@functools.lru_cache(maxsize=512)
def find_nal(data, codec, kind):
    """The first NAL unit of that type, without the bytes that keep start codes out of it."""
    stream = run_tool(["ffmpeg", "-v", "error", "-i", "-", "-map", "0:v:0", "-c", "copy", "-frames:v", "1", "-f", codec, "-"], data)
    for nal in re.split(rb"\x00\x00\x01", stream)[1:]:
        if (nal[0] & 0x1F if codec == "h264" else nal[0] >> 1 & 0x3F) == kind:
            return re.sub(rb"\x00\x00\x03", b"\x00\x00", nal.rstrip(b"\0"))
    return None


def describe_h264(data):
    sps = find_nal(data, "h264", 7)
    return {"avc1." + sps[1:4].hex(), "avc3." + sps[1:4].hex()} if sps else set()


def describe_h265(data):
    sps = find_nal(data, "hevc", 33)
    if not sps:
        return set()
    general = sps[3:15]
    flags = int(f"{int.from_bytes(general[1:5], 'big'):032b}"[::-1], 2)
    constraints = general[5:11].rstrip(b"\0")
    tail = "".join(f".{byte:x}" for byte in constraints)
    space = ("", "a", "b", "c")[general[0] >> 6]
    name = f".{space}{general[0] & 0x1F}.{flags:x}.{'h' if general[0] & 0x20 else 'l'}{general[11]}{tail}"
    return {"hvc1" + name, "hev1" + name}


def describe_aac(stream):
    profile = AAC_PROFILES.get(stream.get("profile"), 2)
    # In ADTS nothing says that there is SBR: the core's own type is right, too.
    return {f"mp4a.40.{profile}"} | ({"mp4a.40.2"} if profile in (5, 29) else set())


def codec_strings(stream, data):
    """Those that name the stream, in small letters; an empty set: any that begins with the codec's name would do."""
    simple = {"mp3": {"mp4a.40.34"}, "mp2": {"mp4a.40.33"}, "ac3": {"ac-3"}, "eac3": {"ec-3"}, "opus": {"opus"}, "flac": {"flac"}}
    name = stream.get("codec_name")
    if name == "h264":
        return describe_h264(data)
    if name == "hevc":
        return describe_h265(data)
    if name == "aac":
        return describe_aac(stream)
    return simple.get(name, set())


CODEC_PREFIXES = {"av1": "av01.", "vp9": "vp09."}
CODEC_RULES = {"h264": "R22", "hevc": "R23", "av1": "R24", "vp9": "R24", "aac": "R25", "mp3": "R25", "mp2": "R25"}


def parse_rate(text):
    numerator, _, denominator = (text or "0/1").partition("/")
    return float(numerator) / float(denominator) if float(denominator or 0) else 0.0


def bit_rates(pieces, target):
    """(peak, average) of [(bytes, s)]; None in it is a gap. RFC 8216bis, 4.1."""
    peak, best = 0.0, 0.0
    for first in range(len(pieces)):
        size = duration = 0
        for piece in pieces[first:]:
            if piece is None or duration + piece[1] > 1.5 * target:
                break
            size, duration = size + piece[0], duration + piece[1]
            if duration >= 0.5 * target:
                peak = max(peak, size * 8 / duration)
            elif duration > 0:
                best = max(best, size * 8 / duration)
    whole = [p for p in pieces if p is not None]
    total = sum(p[1] for p in whole)
    average = sum(p[0] for p in whole) * 8 / total if total else 0.0
    return peak or best, average


# ---- WebVTT ----

def parse_clock(text):
    parts = [float(p) for p in text.split(":")]
    return sum(p * 60 ** i for i, p in enumerate(reversed(parts)))


def parse_vtt(data, say_of):
    """(ticks of LOCAL 0, [(start, end, text)]) of a segment; None: it is none."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        say_of("is no UTF-8")
        return None
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").split("\n")
    if not re.fullmatch(r"WEBVTT([ \t].*)?", lines[0]):
        say_of("does not begin with WEBVTT")
        return None
    stamp = re.search(r"^X-TIMESTAMP-MAP=(.*)$", text.split("\n\n")[0], re.M)
    fields = dict(f.split(":", 1) for f in stamp[1].strip().split(",")) if stamp else {}
    if not {"MPEGTS", "LOCAL"} <= set(fields):
        say_of("has no X-TIMESTAMP-MAP")
        return None
    base = int(fields["MPEGTS"]) - round(parse_clock(fields["LOCAL"]) * 90000)
    if not 0 <= int(fields["MPEGTS"]) < WRAP:
        say_of(f"MPEGTS has more than 33 bits: {fields['MPEGTS']}")
    return base % WRAP, list(parse_cues("\n".join(lines[1:]), say_of))


def parse_cues(text, say_of):
    for block in re.split(r"\n{2,}", text.strip("\n")):
        lines = block.split("\n")
        if re.match(r"(NOTE|STYLE|REGION|X-TIMESTAMP-MAP=)", lines[0]) or not block:
            continue
        at = next((i for i, line in enumerate(lines[:2]) if "-->" in line), None)
        times = CUE_TIMES.fullmatch(lines[at].strip()) if at is not None else None
        if not times:
            say_of(f"has a cue without times: {block[:60]!r}")
            continue
        start, end = parse_clock(times[1]), parse_clock(times[2])
        if end <= start:
            say_of(f"has a cue that ends as it begins: {lines[at]!r}")
        payload = "\n".join(lines[at + 1:])
        if "-->" in payload:
            say_of(f"has an arrow in a cue: {payload[:60]!r}")
        yield start, end, payload


# ---- the checker ----

class Checker:
    """Reads one multivariant playlist and all below it."""

    def __init__(self, location, ignore):
        self.source = Source(location)
        self.ignore = set(ignore)
        self.findings = []
        self.measured = {}
        self.tags = []  # (name, value) of the multivariant playlist, in order
        self.variants = []  # (attributes, URI)
        self.media = []  # attributes of EXT-X-MEDIA
        self.iframes = []  # attributes of EXT-X-I-FRAME-STREAM-INF
        self.playlists = {}  # URI → Media

    def say(self, rule, text):
        finding = f"{rule}: {text}"
        if rule not in self.ignore and finding not in self.findings:
            self.findings.append(finding)

    # -- A: the file --

    def read(self):
        try:
            data = self.source.read(self.source.location)
        except OSError as error:
            self.say("R7", f"cannot be read: {error}")
            return
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            self.say("R1", "is no UTF-8")
            text = data.decode("utf-8", "replace")
        lines = text.splitlines()
        if not lines or lines[0] != "#EXTM3U":
            self.say("R1", "the first line is not #EXTM3U")
        if not text.endswith("\n"):
            self.say("R1", "the last line is not ended")
        self.read_lines(lines)

    def read_lines(self, lines):
        pending = None
        for line in lines:
            if line.startswith("#EXT"):
                name, value = split_tag(line)
                self.tags.append((name, value))
                if pending is not None and name != "EXT-X-STREAM-INF":
                    self.say("R1", f"EXT-X-STREAM-INF is followed by {name}")
                pending = self.read_tag(name, value)
            elif line and not line.startswith("#"):
                if pending is None:
                    self.say("R1", f"a URI without EXT-X-STREAM-INF: {line}")
                else:
                    self.variants.append((pending, line))
                pending = None
        if pending is not None:
            self.say("R1", "EXT-X-STREAM-INF without a URI")

    def read_tag(self, name, value):
        if name in ("EXT-X-STREAM-INF", "EXT-X-MEDIA", "EXT-X-I-FRAME-STREAM-INF"):
            attributes = parse_attributes(value, self.say)
            if name == "EXT-X-STREAM-INF":
                return attributes
            (self.media if name == "EXT-X-MEDIA" else self.iframes).append(attributes)
        return None

    def check_file(self):
        names = [name for name, _ in self.tags]
        if names.count("EXT-X-VERSION") > 1:
            self.say("R1", "more than one EXT-X-VERSION")
        for name in sorted(set(names) & set(MEDIA_TAGS)):
            self.say("R1", f"{name} belongs to media playlists")
        if not self.variants:
            self.say("R1", "there is no variant")
        self.check_version(names)
        for name in ("EXT-X-START", "EXT-X-INDEPENDENT-SEGMENTS"):
            if names.count(name) > 1:
                self.say("R4", f"{name} stands more than once")

    def check_version(self, names):
        version = next((int(v) for n, v in self.tags if n == "EXT-X-VERSION"), 1)
        needed = 8 if "EXT-X-DEFINE" in names else 1
        for attributes in self.media:
            instream = unquote(attributes.get("INSTREAM-ID", ""))
            if instream and attributes.get("TYPE") != "CLOSED-CAPTIONS":
                needed = max(needed, 13)
            elif instream.startswith("SERVICE"):
                needed = max(needed, 7)
        if any(k.startswith("REQ-") for a in self.media + [a for a, _ in self.variants] for k in a):
            needed = max(needed, 12)
        if version < needed:
            self.say("R2", f"EXT-X-VERSION is {version}, and {needed} is needed")
        elif version > max(needed, 4 if self.media else 1):
            self.say("R2", f"EXT-X-VERSION is {version}, and {needed} would do")

    # -- what it leads to --

    def place(self, uri):
        return self.source.join(self.source.location, uri)

    def fetch_playlists(self):
        uris = [uri for _, uri in self.variants]
        uris += [unquote(a["URI"]) for a in self.media + self.iframes if "URI" in a]
        for uri in dict.fromkeys(uris):
            try:
                self.playlists[uri] = parse_media(uri, self.source.read(self.place(uri)), self.say)
            except (OSError, ValueError) as error:
                self.say("R7", f"{uri} cannot be read: {error}")
        for uri, media in self.playlists.items():
            for segment in media.segments:
                if not segment.gap:
                    self.check_there(uri, segment)

    def segment_place(self, uri, name):
        return self.source.join(self.place(uri), name)

    def check_there(self, uri, segment):
        try:
            size = self.source.size(self.segment_place(uri, segment.uri))
        except OSError:
            self.say("R7", f"{uri}: {segment.uri} cannot be fetched")
            return
        if size == 0:
            self.say("R7", f"{uri}: {segment.uri} is empty")
        if segment.byterange and sum(segment.byterange) > size:
            self.say("R41", f"{uri}: the range {segment.byterange[0]}@{segment.byterange[1]} is beyond the end of {segment.uri}")

    def segment_size(self, uri, segment):
        return segment.byterange[0] if segment.byterange else self.source.size(self.segment_place(uri, segment.uri))

    def pieces(self, uri):
        media, pieces = self.playlists[uri], []
        for segment in media.segments:
            try:
                pieces.append(None if segment.gap else (self.segment_size(uri, segment), segment.duration))
            except OSError:
                pieces.append(None)
        return pieces

    @functools.cache
    def rates(self, uri):
        if uri not in self.playlists:
            return 0.0, 0.0
        return bit_rates(self.pieces(uri), self.playlists[uri].target or 1)

    @functools.cache
    def bytes_of(self, uri, number):
        """A segment with its initialization section in front."""
        media = self.playlists[uri]
        segment = media.by_number()[number]
        data = self.source.read(self.segment_place(uri, segment.uri))
        if segment.map:
            data = self.source.read(self.segment_place(uri, segment.map)) + data
        return data

    @functools.cache
    def streams(self, uri, number):
        return probe_streams(self.bytes_of(uri, number))

    def samples(self, uri):
        """Numbers of segments: the first and the last one, and those after a discontinuity."""
        media = self.playlists.get(uri)
        there = [s for s in media.segments if not s.gap] if media else []
        wanted = there[:1] + [s for s in there[1:] if s.discontinuity][:SAMPLES - 2] + there[-1:]
        return sorted({s.number for s in wanted})

    def sampled_streams(self, uri):
        for number in self.samples(uri):
            try:
                for stream in self.streams(uri, number):
                    yield stream, number
            except OSError:
                pass  # said by fetch_playlists()

    # -- B: variants --

    def live(self):
        return not all(m.ended for m in self.playlists.values())

    def group_members(self, kind, group):
        return [a for a in self.media if a.get("TYPE") == kind and unquote(a.get("GROUP-ID")) == group]

    def combined_rates(self, attributes, uri):
        peak, average = self.rates(uri)
        for kind in ("AUDIO", "SUBTITLES", "VIDEO"):
            group = unquote(attributes.get(kind))
            members = [self.rates(unquote(a["URI"])) for a in self.group_members(kind, group) if "URI" in a] if group else []
            peak += max((m[0] for m in members), default=0)
            average += max((m[1] for m in members), default=0)
        return peak, average

    def check_number(self, uri, attributes, name, rule):
        text = attributes.get(name)
        if text is None:
            self.say(rule, f"{uri} has no {name}")
        elif not re.fullmatch(r"[1-9]\d*", text):
            self.say(rule, f"{uri}: {name} is {text}")
        else:
            return int(text)
        return None

    def check_rate(self, uri, name, declared, measured, limit):
        if not declared or not measured:
            return
        if not self.live() and not 0.9 * declared <= measured <= 1.1 * declared:
            self.say("R12", f"{uri}: {name} is {declared}, and {math.ceil(measured)} was measured")
        elif self.live() and measured > limit * declared:
            self.say("R12", f"{uri}: {name} is {declared}, and {math.ceil(measured)} was measured of a live recording")

    def check_bandwidth(self, attributes, uri):
        peak, average = self.combined_rates(attributes, uri)
        self.measured[uri] = (peak, average)
        declared = self.check_number(uri, attributes, "BANDWIDTH", "R8")
        declared_average = self.check_number(uri, attributes, "AVERAGE-BANDWIDTH", "R10")
        if declared and declared_average and declared_average > declared:
            self.say("R10", f"{uri}: AVERAGE-BANDWIDTH {declared_average} is more than BANDWIDTH {declared}")
        self.check_rate(uri, "BANDWIDTH", declared, peak, 1.25)
        self.check_rate(uri, "AVERAGE-BANDWIDTH", declared_average, average, 1.1)

    def variant_streams(self, attributes, uri):
        """All that play in it: [(stream, bytes)]."""
        uris = [uri]
        for kind in ("AUDIO", "VIDEO"):
            uris += [unquote(a["URI"]) for a in self.group_members(kind, unquote(attributes.get(kind))) if "URI" in a]
        for each in dict.fromkeys(uris):
            for stream, number in self.sampled_streams(each):
                yield stream, self.bytes_of(each, number)

    def check_codecs(self, attributes, uri):
        value = unquote(attributes.get("CODECS"))
        if value is None:
            self.say("R14", f"{uri} has no CODECS")
            return
        listed = value.split(",")
        unused = set(listed)
        if len(set(listed)) < len(listed):
            self.say("R14", f"{uri}: CODECS lists one twice: {value}")
        for stream, data in self.variant_streams(attributes, uri):
            unused -= self.check_codec(stream, data, uri, listed)
        for codec in sorted(unused - {"wvtt"}):
            self.say("R14", f"{uri}: CODECS lists {codec}, which no rendition has")

    def check_codec(self, stream, data, uri, listed):
        """Returns: those of @listed that name the stream."""
        name = stream.get("codec_name")
        strings = codec_strings(stream, data)
        prefix = CODEC_PREFIXES.get(name)
        named = {c for c in listed if c.lower() in strings or (prefix and c.startswith(prefix))}
        if not named and (strings or prefix):
            family = {c.split(".")[0].lower() for c in strings} or {prefix.rstrip(".")}
            near = any(c.split(".")[0].lower() in family for c in listed)
            rule = CODEC_RULES.get(name, "R26") if near else "R14"
            self.say(rule, f"{uri}: CODECS is {','.join(listed)}, and the {name} is {' or '.join(sorted(strings)) or prefix}")
        return named

    def check_picture(self, attributes, uri):
        videos = [s for s, _ in self.sampled_streams(uri) if s.get("codec_type") == "video" and s.get("width")]
        if not videos:
            return
        largest = max(videos, key=lambda s: s["width"] * s["height"])
        size = f"{largest['width']}x{largest['height']}"
        if attributes.get("RESOLUTION") != size:
            self.say("R15", f"{uri}: RESOLUTION is {attributes.get('RESOLUTION')}, and the video {size}")
        self.check_frame_rate(attributes.get("FRAME-RATE"), videos, uri)
        ranges = {TRANSFERS[s["color_transfer"]] for s in videos if s.get("color_transfer") in TRANSFERS}
        expected = next((r for r in ("PQ", "HLG", "SDR") if r in ranges), None)
        declared = attributes.get("VIDEO-RANGE", "SDR")
        if declared not in ("SDR", "HLG", "PQ"):
            self.say("R17", f"{uri}: VIDEO-RANGE is {declared}")
        elif expected and declared != expected:
            self.say("R17", f"{uri}: VIDEO-RANGE is {declared}, and the video {expected}")

    def check_frame_rate(self, text, videos, uri):
        if text is None:
            self.say("R16", f"{uri} has no FRAME-RATE")
            return
        if not re.fullmatch(r"\d+(\.\d{1,3})?", text):
            self.say("R16", f"{uri}: FRAME-RATE is {text}: at most three decimals")
            return
        rates = [parse_rate(s.get(k)) for s in videos for k in ("r_frame_rate", "avg_frame_rate")]
        if not any(abs(float(text) - rate) <= max(0.002, rate * 0.02) for rate in rates if rate):
            self.say("R16", f"{uri}: FRAME-RATE is {text}, and the video {' or '.join(f'{r:.3f}' for r in sorted(set(rates)))}")

    def check_scores(self):
        scores = [a.get("SCORE") for a in [a for a, _ in self.variants] + self.iframes]
        if any(scores) and not all(scores):
            self.say("R18", "SCORE is on some variants and not on all")
        for score in filter(None, scores):
            if not re.fullmatch(r"\d+(\.\d+)?", score) or float(score) <= 0:
                self.say("R18", f"SCORE is {score}")
        ids = [unquote(a.get("STABLE-VARIANT-ID")) for a, _ in self.variants]
        if any(ids) and not all(ids):
            self.say("R18", "STABLE-VARIANT-ID is on some variants and not on all")
        for stable in filter(None, ids):
            if not re.fullmatch(r"[A-Za-z0-9+/=._-]+", stable):
                self.say("R18", f"STABLE-VARIANT-ID is {stable!r}")

    def check_captions(self):
        values = [a.get("CLOSED-CAPTIONS") for a, _ in self.variants]
        for value in values:
            if value is not None and value != "NONE" and not value.startswith('"'):
                self.say("R19", f"CLOSED-CAPTIONS is {value} without quotation marks")
            if value == '"NONE"':
                self.say("R19", "CLOSED-CAPTIONS is NONE with quotation marks")
        if "NONE" in values and set(values) != {"NONE"}:
            self.say("R19", "CLOSED-CAPTIONS=NONE is on some variants and not on all")

    def check_groups_of_variants(self):
        for kind in ("AUDIO", "SUBTITLES", "VIDEO", "CLOSED-CAPTIONS"):
            groups = [None if a.get(kind) == "NONE" else unquote(a.get(kind)) for a, _ in self.variants]
            for group in filter(None, groups):
                if not self.group_members(kind, group):
                    self.say("R20", f"there is no {kind} group {group}")
            if kind != "CLOSED-CAPTIONS" and any(groups) and not all(groups):
                self.say("R20", f"some variants have a group of {kind}, and others none")

    def check_variants(self):
        for attributes, uri in self.variants:
            self.check_bandwidth(attributes, uri)
            self.check_codecs(attributes, uri)
            self.check_picture(attributes, uri)
        self.check_scores()
        self.check_captions()
        self.check_groups_of_variants()
        for uri in self.playlists:
            for number in self.samples(uri):
                sounds = [s for s, n in self.sampled_streams(uri) if n == number and s.get("codec_type") == "audio"]
                if len(sounds) > 1:
                    self.say("R21", f"{uri}: a segment holds {len(sounds)} sounds")

    # -- D: renditions --

    def check_rendition(self, attributes):
        kind, name = attributes.get("TYPE"), unquote(attributes.get("NAME"))
        if kind not in ("AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"):
            self.say("R28", f"TYPE is {kind}")
        for needed in ("GROUP-ID", "NAME"):
            if not unquote(attributes.get(needed)) or not attributes[needed].startswith('"'):
                self.say("R28", f"EXT-X-MEDIA without {needed} in quotation marks: {attributes}")
        for flag in ("DEFAULT", "AUTOSELECT", "FORCED"):
            if attributes.get(flag) not in (None, "YES", "NO"):
                self.say("R28", f"{name}: {flag} is {attributes[flag]}")
        if attributes.get("DEFAULT") == "YES" and attributes.get("AUTOSELECT") == "NO":
            self.say("R28", f"{name} is the default and not to be selected")
        if kind == "SUBTITLES" and "URI" not in attributes:
            self.say("R29", f"the subtitles {name} have no URI")
        if kind == "CLOSED-CAPTIONS" and "URI" in attributes:
            self.say("R29", f"the closed captions {name} have a URI")
        if "FORCED" in attributes and kind != "SUBTITLES":
            self.say("R29", f"{name} is FORCED, and no subtitles")
        self.check_language(attributes, kind, name)

    def check_language(self, attributes, kind, name):
        if kind == "CLOSED-CAPTIONS" and not re.fullmatch(r"CC[1-4]|SERVICE([1-9]|[1-5]\d|6[0-3])", unquote(attributes.get("INSTREAM-ID", ""))):
            self.say("R30", f"{name}: INSTREAM-ID is {attributes.get('INSTREAM-ID')}")
        if kind == "VIDEO":
            return
        if "LANGUAGE" not in attributes:
            self.say("R30", f"{name} has no LANGUAGE")
        elif not LANGUAGE.fullmatch(unquote(attributes["LANGUAGE"])):
            self.say("R30", f"{name}: LANGUAGE is {attributes['LANGUAGE']}, which is no tag of BCP 47")

    def check_members(self):
        groups = {}
        for attributes in self.media:
            groups.setdefault((attributes.get("TYPE"), unquote(attributes.get("GROUP-ID"))), []).append(attributes)
        described = {}
        for (kind, group), members in groups.items():
            names = [unquote(a.get("NAME")) for a in members]
            for name in sorted({n for n in names if names.count(n) > 1}):
                self.say("R28", f"{name} is twice in {kind} group {group}")
            if sum(a.get("DEFAULT") == "YES" for a in members) > 1:
                self.say("R28", f"{kind} group {group} has several defaults")
            members_of = sorted(str([unquote(a.get("NAME"))] + [a.get(k) or ("NO" if k in ("DEFAULT", "AUTOSELECT", "FORCED") else None)
                for k in SAME_IN_GROUPS]) for a in members)
            if described.setdefault(kind, (group, members_of))[1] != members_of:
                self.say("R27", f"{kind} groups {described[kind][0]} and {group} have other members")

    def check_channels(self):
        seen = {}
        for attributes in self.media:
            uri = unquote(attributes.get("URI"))
            sounds = [s for s, _ in self.sampled_streams(uri) if s.get("codec_type") == "audio"] if uri else []
            if attributes.get("TYPE") != "AUDIO" or not sounds:
                continue
            channels, name = sounds[0].get("channels"), unquote(attributes.get("NAME"))
            declared = unquote(attributes.get("CHANNELS"))
            if declared is not None and declared.split("/")[0] != str(channels):
                self.say("R31", f"{uri}: CHANNELS is {declared}, and the sound has {channels}")
            other = seen.setdefault((name, sounds[0].get("codec_name")), (channels, declared))
            if other[0] != channels and None in (other[1], declared):
                self.say("R31", f"two renditions {name} differ in channels, and CHANNELS does not say so")

    # -- WebVTT --

    def segment_pts(self, uri, number):
        """The first time stamp, s."""
        times = [float(s["start_time"]) for s in self.streams(uri, number) if s.get("start_time") not in (None, "N/A")]
        return min(times, default=None)

    def video_start(self):
        """(number, s): a segment of a video, and the time stamp at which it begins; None: there is no video."""
        for _, uri in self.variants:
            for number in self.samples(uri):
                try:
                    start = self.segment_pts(uri, number)
                except OSError:
                    continue
                if start is not None:
                    return uri, number, start
        return None

    def check_subtitles(self, uri):
        media, cues = self.playlists[uri], {}
        for segment in media.segments:
            if segment.gap:
                continue
            try:
                data = self.source.read(self.segment_place(uri, segment.uri))
            except OSError:
                continue
            if data[4:8] in (b"styp", b"moof"):
                return  # in MP4: not looked into
            parsed = parse_vtt(data, lambda text, s=segment: self.say("R32", f"{uri}: {s.uri} {text}"))
            if parsed:
                cues[segment.number] = parsed
        self.check_cue_times(uri, media, cues)

    def check_cue_times(self, uri, media, cues):
        anchor = self.video_start()
        if not anchor:
            return
        video, number, pts = anchor
        times = self.playlists[video].by_number()
        numbers, shown = media.by_number(), {}
        for n, (base, listed) in cues.items():
            # A discontinuity begins a new clock.
            if n not in times or times[n].discontinuities != times[number].discontinuities or numbers[n].discontinuities != times[n].discontinuities:
                continue
            begin = times[n].start - times[number].start
            shown[n] = []
            for start, end, text in listed:
                at = (base / 90000 + start - pts + WRAP / 90000 / 2) % (WRAP / 90000) - WRAP / 90000 / 2
                shown[n].append((at, at + end - start, text))
                if at > begin + times[n].duration + FRAME_TOLERANCE or at + end - start < begin - FRAME_TOLERANCE:
                    self.say("R32", f"{uri}: {numbers[n].uri} has a cue {text[:40]!r} at {at - begin:.3f} s from its beginning")
        self.check_cues_over_cuts(uri, times, times[number].start, shown)

    def check_cues_over_cuts(self, uri, times, origin, shown):
        for n, cues in shown.items():
            end_of_segment = times[n].start + times[n].duration - origin
            following = shown.get(n + 1)
            for start, end, text in cues:
                if following is None or end <= end_of_segment + FRAME_TOLERANCE:
                    continue
                if not any(text == t and abs(end - e) < 0.002 and abs(start - s) < 0.002 for s, e, t in following):
                    self.say("R32", f"{uri}: the cue {text[:40]!r} goes on after segment {n}, and the next segment does not have it")

    def check_renditions(self):
        for attributes in self.media:
            self.check_rendition(attributes)
        self.check_members()
        self.check_channels()
        for attributes in self.media:
            if attributes.get("TYPE") == "SUBTITLES" and unquote(attributes.get("URI")) in self.playlists:
                self.check_subtitles(unquote(attributes["URI"]))

    # -- E: the playlists together --

    def kinds(self):
        """URI → "video", "audio", "subtitles" or "iframes"."""
        kinds = {uri: "video" for _, uri in self.variants}
        for attributes in self.media:
            if "URI" in attributes:
                kinds.setdefault(unquote(attributes["URI"]), attributes.get("TYPE", "").lower())
        for attributes in self.iframes:
            kinds.setdefault(unquote(attributes.get("URI")), "iframes")
        return {uri: kind for uri, kind in kinds.items() if uri in self.playlists}

    def check_together(self):
        kinds = self.kinds()
        main = next((uri for _, uri in self.variants if uri in self.playlists), None)
        if main is None:
            return
        first = self.playlists[main]
        for uri in kinds:
            self.check_alone(uri)
            if uri != main:
                self.check_headers(first, self.playlists[uri], kinds[uri])
                if kinds[uri] != "iframes":
                    self.check_numbers(first, self.playlists[uri])
                    self.check_same_time(first, self.playlists[uri])
        independent = ["EXT-X-INDEPENDENT-SEGMENTS" in self.playlists[u].tags for u, k in kinds.items() if k == "video"]
        if all(independent) and not any(n == "EXT-X-INDEPENDENT-SEGMENTS" for n, _ in self.tags):
            self.say("R3", "EXT-X-INDEPENDENT-SEGMENTS is in each media playlist, and not in the multivariant one")

    def check_alone(self, uri):
        media = self.playlists[uri]
        if not media.segments:
            self.say("R7", f"{uri} lists no segment")
        for segment in media.segments:
            if int(segment.duration + 0.5) > media.target:
                self.say("R38", f"{uri}: EXTINF {segment.duration} rounds to more than the target {media.target}")
        if "EXT-X-DISCONTINUITY-SEQUENCE" not in media.tags and media.segments and media.segments[0].number > 0 and \
                any(s.discontinuity for s in media.segments) and "EXT-X-PLAYLIST-TYPE" not in media.tags:
            self.say("R38", f"{uri} slides and has no EXT-X-DISCONTINUITY-SEQUENCE")

    def check_headers(self, first, other, kind):
        if first.target != other.target and (kind not in ("subtitles", "iframes") or self.live()):
            self.say("R33", f"the target is {first.target} in {first.uri} and {other.target} in {other.uri}")
        for tag in ("EXT-X-PLAYLIST-TYPE", "EXT-X-SERVER-CONTROL"):
            if first.tags.get(tag) != other.tags.get(tag):
                self.say("R33", f"{tag} is {first.tags.get(tag)} in {first.uri} and {other.tags.get(tag)} in {other.uri}")
        dated = [any(s.date is not None for s in m.segments) for m in (first, other)]
        if dated[0] != dated[1]:
            self.say("R33", f"{first.uri if dated[0] else other.uri} has dates, and {other.uri if dated[0] else first.uri} none")
        if kind != "iframes" and first.dateranges != other.dateranges:
            self.say("R33", f"{first.uri} and {other.uri} have other EXT-X-DATERANGEs")
        if first.ended != other.ended:
            self.say("R33", f"{first.uri if first.ended else other.uri} has ended, and {other.uri if first.ended else first.uri} has not")

    def check_numbers(self, first, other):
        if not first.segments or not other.segments:
            return
        slack = 1 if self.live() else 0
        for what, index in (("begins", 0), ("ends", -1)):
            numbers = [m.segments[index].number for m in (first, other)]
            if abs(numbers[0] - numbers[1]) > slack:
                self.say("R36", f"{first.uri} {what} at segment {numbers[0]}, {other.uri} at {numbers[1]}")

    def check_same_time(self, first, other):
        known = first.by_number()
        pairs = [(known[s.number], s) for s in other.segments if s.number in known]
        for a, b in pairs:
            if a.discontinuities != b.discontinuities:
                self.say("R34" if a.discontinuity != b.discontinuity else "R33", f"segment {a.number} is after {a.discontinuities} discontinuities in "
                    f"{first.uri} and after {b.discontinuities} in {other.uri}")
                break
        for a, b in pairs:
            if a.date is not None and b.date is not None and abs(a.date - b.date) > FRAME_TOLERANCE:
                self.say("R33", f"segment {a.number} begins {b.date - a.date:+.3f} s from {first.uri} in {other.uri}, by their dates")
                break
        if not pairs:
            return
        for a, b in pairs:
            off = (b.start + b.duration - pairs[0][1].start) - (a.start + a.duration - pairs[0][0].start)
            if abs(off) > FRAME_TOLERANCE:
                self.say("R35", f"segment {a.number} ends {off:+.3f} s from {first.uri} in {other.uri}, by their EXTINFs")
                break

    # -- F: I-frame playlists --

    def check_iframes(self):
        for attributes in self.iframes:
            uri = unquote(attributes.get("URI"))
            for name in ("FRAME-RATE", "AUDIO", "SUBTITLES", "CLOSED-CAPTIONS"):
                if name in attributes:
                    self.say("R39", f"{uri} has {name}")
            for name in ("CODECS", "RESOLUTION"):
                if name not in attributes:
                    self.say("R39", f"{uri} has no {name}")
            if uri is None:
                self.say("R39", "EXT-X-I-FRAME-STREAM-INF without URI")
            declared = self.check_number(uri, attributes, "BANDWIDTH", "R39")
            if uri in self.playlists:
                self.check_rate(uri, "BANDWIDTH", declared, self.rates(uri)[0], 1.25)
                self.check_iframe_playlist(uri, self.playlists[uri])

    def check_iframe_playlist(self, uri, media):
        if "EXT-X-I-FRAMES-ONLY" not in media.tags:
            self.say("R40", f"{uri} has no EXT-X-I-FRAMES-ONLY")
        if int(media.tags.get("EXT-X-VERSION", "1")) < 4:
            self.say("R40", f"{uri}: EXT-X-VERSION is {media.tags.get('EXT-X-VERSION')}")
        videos = [self.playlists[u] for _, u in self.variants if u in self.playlists]
        same = [v for v in videos if {s.uri for s in media.segments} & {s.uri for s in v.segments}]
        # What is listed meanwhile is not in both.
        slack = FRAME_TOLERANCE + (media.target if self.live() else 0)
        for video in same:
            if abs(video.duration - media.duration) > slack:
                self.say("R40", f"{uri} lasts {media.duration:.3f} s, and {video.uri} {video.duration:.3f} s")
        there = [s for s in media.segments if not s.gap]
        for segment in there:
            if not segment.byterange:
                self.say("R41", f"{uri}: {segment.uri} has no EXT-X-BYTERANGE")
        self.check_ranges(uri, [s for s in there if s.byterange])

    def check_ranges(self, uri, segments):
        sampled = segments[:2] + segments[-1:]
        for segment in segments:
            try:
                data = self.source.read(self.segment_place(uri, segment.uri))
            except OSError:
                continue
            size, offset = segment.byterange
            if data[:1] == b"\x47":
                self.check_ts_range(uri, segment, data, segment in sampled)
            elif segment.map is None:
                self.say("R41", f"{uri} has no EXT-X-MAP")
            elif data[offset + 4:offset + 8] not in (b"moof", b"styp", b"emsg", b"prft", b"sidx"):
                self.say("R42", f"{uri}: {segment.uri} has no moof at {offset}")
            elif segment in sampled:
                self.check_picture_of(uri, segment, self.source.read(self.segment_place(uri, segment.map)) + data[offset:offset + size])

    def check_ts_range(self, uri, segment, data, decode):
        size, offset = segment.byterange
        pids = [(data[at + 1] & 0x1F) << 8 | data[at + 2] for at in range(0, min(offset, 8 * PACKET), PACKET)]
        if size % PACKET or offset % PACKET:
            self.say("R41", f"{uri}: the range {size}@{offset} of {segment.uri} is no whole packets")
        elif 0 not in pids or len(pids) < 2:
            self.say("R41", f"{uri}: PAT and PMT are not in front of {size}@{offset} in {segment.uri}")
        elif decode:
            self.check_picture_of(uri, segment, data[:min(offset, 8 * PACKET)] + data[offset:offset + size])

    def check_picture_of(self, uri, segment, data):
        pictures, keys = count_pictures(data)
        if keys != 1 or pictures != 1:
            self.say("R41", f"{uri}: {segment.byterange[0]}@{segment.byterange[1]} of {segment.uri} decodes to {pictures} pictures, {keys} of them key")

    def run(self):
        self.read()
        self.check_file()
        self.fetch_playlists()
        self.check_variants()
        self.check_renditions()
        self.check_together()
        self.check_iframes()
        return Report(self.findings, self.measured)


def check(location, ignore=()):
    return Checker(location, ignore).run()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ignore", default="", help="rules whose findings are left out, as R35,R30")
    parser.add_argument("--json", action="store_true", help="print what was measured")
    parser.add_argument("playlist", nargs="+")
    args = parser.parse_args()
    bad = 0
    for location in args.playlist:
        report = check(location, filter(None, args.ignore.split(",")))
        for finding in report.findings:
            print("FAIL", finding)
        bad += len(report.findings)
        if args.json:
            print(json.dumps(report.measured, indent=1))
        print(f"{location}: {len(report.measured)} variants, {len(report.findings)} findings")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
