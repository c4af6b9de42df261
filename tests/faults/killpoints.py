#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recorder that kills itself right before each of the calls, one after the other, that change something on its disk or
send something to its server: whatever the moment is, the next start goes on, and lists all that is there.

kill9.py finds what is likely; this finds what takes one moment in ten thousand. It needs no luck, as die-at.c counts the
calls. The recordings are as fast as they go, so that much of what they do waits at once, as behind a disk that hangs.
"""
import concurrent.futures
import contextlib
import os
import random
import re
import shutil
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import launch  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402
import tscheck  # noqa: E402

LIBRARY = os.environ.get("AMS_DIE_AT_LIBRARY")
CHAINS = int(os.environ.get("CHAINS", "15"))  # of several kills each, for each kind of recording
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
WORKERS = 3

SECONDS = 3
PIPELINE = (f"videotestsrc num-buffers={SECONDS * 5} ! video/x-raw,format=I420,width=64,height=64,framerate=5/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=5 ! amshlssink name=h target-duration=1 ")
DISK = "location=rec/cam-%05d.ts playlist-location=rec/cam.m3u8 "
ABOVE = "multivariant-location={files}all.m3u8 "
HTTP = "location={files}cam-%05d.ts playlist-location={files}cam.m3u8 {above}write-files={write} h.src ! amshttpput location={url} {options}"

SERVER = []


class Recording:
    """A folder with what a recorder leaves in it, and, where there is a server, a folder there."""
    pipeline = PIPELINE
    line = DISK
    rec = "rec"

    def __init__(self, top, name, options=""):
        self.top, self.name, self.options = top, name, options
        self.folder = os.path.join(top, name)
        self.begin()

    def begin(self):
        os.mkdir(self.folder)
        self.kept = os.path.join(self.folder, self.rec)

    def run(self, at=None):
        """One life of a recorder: its exit code, and what it said."""
        env = {"LD_PRELOAD": LIBRARY, "AMS_DIE_AT": str(at), "AMS_DIE_BELOW": self.folder} if at else {}
        with launch.Launch(self.pipeline + self.line + self.options, self.folder, env=env) as recorder:
            return recorder.ended(), recorder.said()

    def copy(self, name):
        other = type(self)(self.top, name, self.options)
        shutil.rmtree(other.folder)
        shutil.copytree(self.folder, other.folder, symlinks=True)
        return other

    def remove(self):
        shutil.rmtree(self.folder)

    def playlist(self):
        return os.path.join(self.kept, "cam.m3u8")

    def journal(self):
        return os.path.join(self.kept, ".cam.m3u8.journal")

    def listed(self):
        return [e.uri for e in tscheck.parse_playlist(self.playlist()).entries] if os.path.exists(self.playlist()) else []

    def there(self):
        return sorted(n for n in os.listdir(self.kept) if n.endswith(".ts") and not n.startswith(".")) if os.path.isdir(self.kept) else []

    def unlisted(self):
        """Not before the window of a live playlist."""
        listed = self.listed()
        return [n for n in self.there() if n not in listed and (not listed or n > listed[0])]

    def is_early(self):
        """What a multivariant playlist names is not there, at the server or on the disk."""
        return any("all.m3u8" in n and "cam.m3u8" not in n for n in map(launch.files_in, {self.kept, os.path.join(self.folder, self.rec)}))

    def problems(self):
        text = launch.files_in(self.kept).get("cam.m3u8", b"")
        found = []
        if self.unlisted():
            found.append(f"not listed: {self.unlisted()}")
        missing = [n for n in self.listed() if n not in self.there()]
        if missing:
            found.append(f"listed, and not there: {missing}")
        if not text.endswith(b"#EXT-X-ENDLIST\n"):
            found.append("no EXT-X-ENDLIST")
        if ABOVE.split("=")[0] in self.line and b"\ncam.m3u8\n" not in launch.files_in(self.kept).get("all.m3u8", b""):
            found.append("all.m3u8 does not name it")
        numbers = [int(re.search(r"(\d+)\.ts$", n).group(1)) for n in self.listed()]
        if any(b <= a for a, b in zip(numbers, numbers[1:])):
            found.append(f"the numbers are {numbers}")
        return found + [str(f) for f in tscheck.check(self.playlist()).findings] if text else found


class AtServer(Recording):
    """One that nginx has; a spool is in the recorder's folder."""
    write, settings, above = "never", "", ""

    def begin(self):
        super().begin()
        self.kept = SERVER[0].path(self.name)
        files = "rec/" if self.write == "always" else ""
        self.line = HTTP.format(files=files, write=self.write, above=self.above.format(files=files), url=SERVER[0].url(f"/{self.name}/"), options=self.settings)

    def run(self, at=None):
        """What was on its way when the recorder died is at the server once that has answered others."""
        lived = super().run(at)
        for _ in range(5):
            with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(SERVER[0].url("/none")):
                pass
        return lived

    def copy(self, name):
        other = super().copy(name)
        if os.path.isdir(self.kept):
            shutil.copytree(self.kept, other.kept)
        return other

    def remove(self):
        super().remove()
        shutil.rmtree(self.kept, ignore_errors=True)


class Straight(AtServer):
    """Without a spool. One put at a time: what was on its way beside one that did not arrive is behind a hole, and is not looked for."""
    settings = "max-parallel=1"


class Spooled(AtServer):
    settings = "spool-dir=spool"


class Both(Spooled):
    """On disk as well, where the names are rec/…, as they are at the server."""
    write = "always"

    def begin(self):
        super().begin()
        self.kept = os.path.join(self.kept, "rec")


def check_chain(base, name, kills):
    """Returns what is wrong after these kills, one after the other, and a life to its end; and whether the last kill came."""
    recording = base.copy(name)
    story, problems = [], []
    died = True
    for at in [*kills, None]:
        before = recording.there()
        code, said = recording.run(at)
        died = code == -9 if at else died
        story.append((at, code, said))
        if code != (-9 if at and died else 0):
            problems.append(f"exit code {code}")
        gone = [n for n in before if n not in recording.there()]
        if gone and "live" not in recording.options:
            problems.append(f"gone: {gone}")
        if recording.is_early():
            problems.append("all.m3u8 is there, and what it names is not")
        if problems:
            break
    problems = problems or recording.problems()
    if problems:
        problems = [f"{name}, killed at {kills}: {'; '.join(problems)}"] + [f"{at}: {code}\n{said[-700:]}" for at, code, said in story]
    else:
        recording.remove()
    return problems, died


def dies_before(base, at, call):
    other = base.copy(f"{base.name}-looks")
    try:
        return f"before: {call} " in other.run(at)[1]
    finally:
        other.remove()


def crashed(recording):
    """A whole session, and one that was killed with a segment open: what there is of that is not listed."""
    code, said = recording.run()
    tap.check(code == 0, said)
    listed = recording.listed()
    for at in range(12, 60):
        other = recording.copy(f"{recording.name}-{at}")
        other.run(at)
        if other.listed() == listed and is_cut(other) and os.path.exists(other.journal()):
            recording.remove()
            return other
        other.remove()
    raise tap.Failed("no kill leaves a segment open and unlisted")


def is_cut(recording):
    return any(re.search(r"\.ts\.part$", n) and len(d) > 4000 for n, d in launch.files_in(recording.folder).items())


def each_call(base):
    """Chains with one kill, up to the first that outlives the session."""
    wrong = []
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for first in range(1, 400, 2 * WORKERS):
            done = list(pool.map(lambda n: check_chain(base, f"{base.name}-at{n}", [n]), range(first, first + 2 * WORKERS)))
            wrong += [p for problems, _ in done for p in problems]
            if not any(died for _, died in done):
                tap.note(f"{base.name}: killed at {first - 1 + sum(d for _, d in done)} calls")
                break
    tap.check(not wrong, "\n".join(wrong))


def chains(base, calls):
    rng = random.Random(f"{SEED} {base.name}")
    kills = [[rng.randrange(1, calls) for _ in range(rng.randrange(2, 5))] for _ in range(CHAINS)]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        done = pool.map(lambda n: check_chain(base, f"{base.name}-chain{n}", kills[n]), range(CHAINS))
        wrong = [p for problems, _ in done for p in problems]
    tap.check(not wrong, "\n".join(wrong))


def time_stamps(data):
    """Of the pictures that begin in a transport stream, 90 kHz."""
    found = []
    for at in range(0, len(data) - 187, 188):
        packet = data[at:at + 188]
        start = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
        pes = packet[start:start + 14]
        if packet[1] & 0x40 and len(pes) == 14 and pes[:3] == b"\0\0\1" and pes[3] & 0xf0 == 0xe0 and pes[7] & 0x80:
            found.append((pes[9] >> 1 & 7) << 30 | pes[10] << 22 | pes[11] >> 1 << 15 | pes[12] << 7 | pes[13] >> 1)
    return found


class Late(Recording):
    """Its keyframes are late now and then, so that a segment ends after the fact, and what is behind its end moves to the next one."""
    pipeline = "filesrc location=../late.mp4 ! qtdemux ! h264parse ! amshlssink name=h target-duration=2 "

    def begin(self):
        super().begin()
        self.written = set()

    def copy(self, name):
        other = super().copy(name)
        other.written = set(self.written)
        return other

    def run(self, at=None):
        """Notes the pictures that are on the disk then, but for the last of a file that is not whole: it may not be."""
        lived = super().run(at)
        for name, data in launch.files_in(self.folder).items():
            if name.endswith((".ts", ".ts.part")):
                found = time_stamps(data)
                self.written.update(found[:-1] if name.endswith(".part") else found)
        return lived

    def problems(self):
        listed = [stamp for name in self.listed() for stamp in time_stamps(launch.files_in(self.kept)[name])]
        twice = len(listed) - len(set(listed))
        lost = self.written - set(listed)
        return super().problems() + ([f"{twice} pictures twice"] if twice else []) + ([f"{len(lost)} pictures lost: {sorted(lost)}"] if lost else [])


def make_late():
    """Keyframes each half second, but for those that come after two."""
    tap.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x120:r=10:d=8", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt",
        "yuv420p", "-b:v", "2M", "-x264-params", "keyint=1000:scenecut=0:bframes=0", "-force_key_frames", "0,0.5,1,1.5,3.5,4,4.5,5,7",
        os.path.join(FOLDER[0], "late.mp4")])


FOLDER = []


def test_killed_in_a_first_session():
    each_call(Recording(FOLDER[0], "first"))


def test_killed_with_a_segment_that_ends_late():
    make_late()
    base = Late(FOLDER[0], "late")
    each_call(base)
    chains(base, 60)


def test_killed_again_before_what_was_cut_has_its_name():
    base = Late(FOLDER[0], "twice")
    named = [at for at in range(10, 50) if dies_before(base, at, "renameat2")]
    tap.check(named, "no kill comes before a part gets its name")
    base.run(named[0])
    again = [at for at in range(1, 40) if dies_before(base, at, "renameat2")]
    tap.check(again, "no kill comes before a part that was recovered gets its name")
    wrong = [p for at in again for p in check_chain(base, f"twice-{at}", [at, at])[0]]
    tap.check(not wrong, "\n".join(wrong))


def test_killed_with_a_multivariant_playlist():
    class Above(Recording):
        line = DISK + ABOVE.format(files="rec/")

    base = Above(FOLDER[0], "above")
    each_call(base)
    chains(base, 60)


def test_killed_with_a_multivariant_playlist_at_a_server():
    class Above(Both):
        above = ABOVE

    chains(Above(FOLDER[0], "above-both"), 140)


def test_killed_in_a_recovery():
    base = crashed(Recording(FOLDER[0], "crashed"))
    each_call(base)
    chains(base, 45)


def test_killed_in_a_recovery_without_a_journal():
    base = crashed(Recording(FOLDER[0], "no-journal"))
    os.unlink(base.journal())
    each_call(base)
    chains(base, 45)


def test_killed_in_a_recovery_of_a_live_playlist():
    base = crashed(Recording(FOLDER[0], "live", "playlist-type=live playlist-length=3"))
    each_call(base)
    chains(base, 45)


def test_killed_with_a_spool():
    chains(Spooled(FOLDER[0], "spooled"), 120)


def test_killed_with_a_spool_at_each_call():
    each_call(Spooled(FOLDER[0], "spooled-each"))


def test_killed_on_disk_and_at_a_server():
    chains(Both(FOLDER[0], "both"), 120)


def test_killed_on_disk_and_at_a_server_at_each_call():
    base = Both(FOLDER[0], "both-each")
    tap.check(base.run()[0] == 0, "the first session")
    each_call(base)


def test_killed_without_a_spool():
    base = Straight(FOLDER[0], "straight")
    tap.check(base.run()[0] == 0, "the first session")
    each_call(base)


def main():
    if not LIBRARY:
        print("1..0 # SKIP AMS_DIE_AT_LIBRARY is not set")
        return 0
    tap.note(f"SEED={SEED}, {CHAINS} chains")
    with tap.folder() as folder:
        os.chmod(folder, 0o755)
        FOLDER.append(folder)
        server = servers.Nginx(os.path.join(folder, "nginx"))
        server.start()
        SERVER.append(server)
        try:
            return tap.run_tests(globals())
        finally:
            server.kill()


if __name__ == "__main__":
    sys.exit(main())
