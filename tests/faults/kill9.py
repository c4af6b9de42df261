#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kills a recorder with SIGKILL at random moments, restarts it, and looks at what became of the recording.

    kill9.py [--store disk|http|s3] [--kills N] [--lanes N] [--seed N] [--keep]

With --store http the recording goes to nginx by amshttpput, by way of a spool and without a copy on disk, and nginx is
killed and comes back at random moments of its own. With --store s3 it goes to a gateway of Ceph by amss3put in the same
way.

Lanes are recordings that are killed beside each other, to save time. How much a kill cost is measured thus: a
session's first EXT-X-PROGRAM-DATE-TIME says when its first frame was taken, by the pipeline's clock; the time of
the kill less that date is how long there were frames to be recorded; what is listed of the session after all is
how long was kept. A live source gives a frame out when its time has come, the encoder (zerolatency) holds none
back, and a frame ends 33 ms after it began: LATENCY is for these and for the time that a picture waits for the sound.
"""
import argparse
import collections
import contextlib
import functools
import hashlib
import http.client
import itertools
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import launch  # noqa: E402
import rgw  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402
import tscheck  # noqa: E402

LOST_AT_MOST = 1.0  # s for each kill: the promise
LATENCY = 0.25  # s, see above
START_AT_MOST = 1.0  # s from PLAYING to the first frame that is kept
FRAME_RATE = 30

PIPELINE = ("videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! amshlssink name=h target-duration=2 "
    "{store} audiotestsrc is-live=true ! avenc_aac ! h.")
DISK = "location=rec/cam-%05d.ts playlist-location=rec/cam.m3u8"
HTTP = ("location=cam-%05d.ts playlist-location=cam.m3u8 write-files=never "
    "h.src ! amshttpput location={url} spool-dir=spool")
S3 = ("location=cam-%05d.ts playlist-location=cam.m3u8 write-files=never "
    "h.src ! amss3put endpoint={endpoint} bucket={bucket} key-prefix=rec/ spool-dir=spool")


class Run:
    """One life of a recorder."""

    def __init__(self, folder, log, store, environment):
        self.playing = self.killed = None
        self.last = collections.deque(maxlen=15)
        self.log = log
        self.process = subprocess.Popen(["gst-launch-1.0", "-e"] + PIPELINE.format(store=store).split(), cwd=folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **environment})
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            if line.startswith(b"New clock") and self.playing is None:
                self.playing = time.time()
            self.log.write(line)
            self.last.append(line.decode("utf-8", "replace").rstrip())
        self.log.flush()

    def kill(self):
        self.killed = time.time()
        self.process.kill()
        self.process.wait()
        self.reader.join()

    def end(self):
        self.killed = time.time()
        self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = "none: it did not end within 40 s"
        self.reader.join()
        return code


class Lane:
    """A recording that is killed again and again."""
    sessions_of_a_run = 1
    environment = {}

    def __init__(self, number, kills, rng, folder):
        self.name = f"lane {number}"
        self.kills, self.rng = kills, rng
        self.folder = os.path.join(folder, f"lane{number}")
        self.store = DISK
        self.rec = os.path.join(self.folder, "rec")
        self.playlist = os.path.join(self.rec, "cam.m3u8")
        os.makedirs(self.folder)
        self.runs = []
        self.text = b""
        self.hashes = {}
        self.changed, self.repeated, self.ended = [], [], []
        self.error = None

    def moment(self):
        """One kill in five falls into the start and the recovery."""
        return self.rng.uniform(0.05, 1.0) if self.rng.random() < 0.2 else self.rng.uniform(1.0, 3.5)

    def prepare(self, number):
        """Before each run."""

    def finish(self):
        """After the last run."""

    def live(self):
        try:
            with open(os.path.join(self.folder, "log"), "wb") as log:
                for number in range(self.kills):
                    self.prepare(number)
                    run = Run(self.folder, log, self.store, self.environment)
                    self.runs.append(run)
                    time.sleep(self.moment())
                    if run.process.poll() is not None:
                        self.ended.append(f"{self.name}: run {number} ended by itself")
                    run.kill()
                    self.look(number)
                self.prepare(self.kills)
                run = Run(self.folder, log, self.store, self.environment)
                self.runs.append(run)
                time.sleep(4)
                code = run.end()
                if code != 0:
                    self.ended.append(f"{self.name}: the last run's exit code is {code}")
                self.look(self.kills)
        except Exception as error:  # pylint: disable=broad-except
            self.error = error
        finally:
            self.finish()

    def look(self, number):
        """Between two lives: what was there before is there as it was."""
        text = b""
        if os.path.exists(self.playlist):
            with open(self.playlist, "rb") as f:
                text = f.read()
        if not text.startswith(self.text):
            self.changed.append(f"{self.name}: after run {number} the playlist is no longer what it was before, and more")
        if text and not text.endswith(b"\n"):
            self.changed.append(f"{self.name}: after run {number} the playlist ends in mid-line")
        self.text = text
        listed = [e.uri for e in tscheck.parse_playlist(self.playlist).entries] if text else []
        numbers = [int(re.search(r"(\d+)\.ts$", uri).group(1)) for uri in listed]
        if any(b <= a for a, b in zip(numbers, numbers[1:])):
            self.repeated.append(f"{self.name}: after run {number} the numbers are {numbers}")
        names = {n for n in os.listdir(self.rec) if n.endswith(".ts")} if os.path.isdir(self.rec) else set()
        for name in sorted(names | set(listed) | set(self.hashes)):
            path = os.path.join(self.rec, name)
            if not os.path.exists(path):
                self.changed.append(f"{self.name}: after run {number} {name} is gone")
                continue
            with open(path, "rb") as f:
                digest = hashlib.sha256(f.read()).hexdigest()
            if self.hashes.setdefault(name, digest) != digest:
                self.changed.append(f"{self.name}: after run {number} {name} has other bytes")

    def check_playlist(self):
        tap.m3u8_check(self.playlist)

    @functools.cached_property
    def report(self):
        tap.check(os.path.exists(self.playlist), f"{self.name}: there is no playlist")
        return tscheck.check(self.playlist)

    @functools.cached_property
    def sessions(self):
        return self.report.sessions()

    @functools.cached_property
    def run_of(self):
        """For each session its run: by its date, and where it has none, in order, so that the most that was lost is least.
        One without a date may be the end of the session before it."""
        runs = [next((n for n, run in enumerate(self.runs) if date <= run.killed), None) if date is not None else None
            for date, _ in self.sessions]
        at = 0
        while at < len(runs):
            end = at
            while end < len(runs) and runs[end] is None:
                end += 1
            if end > at:
                first = runs[at - 1] if at else 0
                runs[at:end] = self.fit(range(at, end), range(first, runs[end] if end < len(runs) else len(self.runs)))
            at = end + 1
        return runs

    def fit(self, sessions, candidates):
        kept = [sum(e.duration for e in self.sessions[s][1]) for s in sessions]
        lives = {n: self.runs[n].killed - (self.runs[n].playing or self.runs[n].killed) for n in candidates}
        if sessions[0] > 0:
            lives[candidates[0]] -= sum(e.duration for e in self.sessions[sessions[0] - 1][1])

        def worst(chosen):
            lost = {**lives, **{n: abs(lives[n] - k) for n, k in zip(chosen, kept)}}
            return max(lost.values())
        return min(itertools.combinations(candidates, len(kept)), key=worst, default=[None] * len(kept))

    def sessions_of(self, number):
        """Those of a run, with their dates, or about when the run began."""
        return [(date if date is not None else self.runs[number].playing, s)
            for (date, s), run in zip(self.sessions, self.run_of) if run == number]

    def story(self):
        """What became of each run, for people."""
        for number, run in enumerate(self.runs):
            sessions = [f"{date or 0:.3f} {[(e.uri, round(e.duration, 3)) for e in entries]}" for date, entries in self.sessions_of(number)]
            yield f"{self.name}: run {number} playing {run.playing or 0:.3f} killed {run.killed:.3f}: {sessions or 'nothing'}"
            if not sessions and run.playing and run.killed - run.playing > LOST_AT_MOST:
                yield from (f"{self.name}: run {number} said at last: {line}" for line in run.last)

    def losses(self):
        """For each run: (its number, seconds lost at the kill, seconds from PLAYING to the first frame)."""
        found = []
        for number, run in enumerate(self.runs):
            begun = run.playing if run.playing is not None else run.killed
            mine = self.sessions_of(number)
            if not mine:
                found.append((number, max(run.killed - begun, 0), 0.0))
                continue
            date, _ = mine[0]
            kept = sum(e.duration for _, s in mine for e in s)
            found.append((number, run.killed - date - kept, date - begun))
        return found


class HttpLane(Lane):
    """One whose recording is on a server that comes and goes. Dates of what was not listed yet are in the spool."""

    def __init__(self, number, kills, rng, folder):
        super().__init__(number, kills, rng, folder)
        os.chmod(folder, 0o755)
        self.reader = servers.PollingReader(self.open_store())
        self.playlist = os.path.join(self.rec, "cam.m3u8")
        self.outages = 0
        self.ending = threading.Event()
        self.chaos = None
        self.chaos_rng = random.Random(rng.random())

    def open_store(self):
        """Returns the URL of the playlist."""
        self.server = servers.Nginx(self.folder)
        self.server.start()
        self.store = HTTP.format(url=self.server.url("/rec/"))
        self.rec = self.server.path("rec")
        return self.server.url("/rec/cam.m3u8")

    def has_begun(self):
        return os.path.exists(self.playlist)

    def come_and_go(self):
        """Who has never heard of an earlier recording, and cannot ask, does not start: there is a playlist at first."""
        try:
            while not self.has_begun() and not self.ending.wait(0.1):
                pass
            while not self.ending.wait(self.chaos_rng.uniform(0.3, 4)):
                self.server.kill()
                self.outages += 1
                self.ending.wait(self.chaos_rng.uniform(0.2, 3))
                self.server.start()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def prepare(self, number):
        if number == 0:
            self.chaos = threading.Thread(target=self.come_and_go)
            self.chaos.start()
        if number == self.kills:
            self.stop_chaos()

    def stop_chaos(self):
        self.ending.set()
        if self.chaos:
            self.chaos.join()

    def look(self, number):
        """What the server lists it has, while there is more in the spool."""
        super().look(number)
        listed = tscheck.parse_playlist(self.playlist).entries if self.text else []
        missing = [e.uri for e in listed if e.uri not in self.hashes]
        if missing:
            self.changed.append(f"{self.name}: after run {number} {missing} are listed and not there")

    def finish(self):
        self.stop_chaos()
        if self.error is None:
            self.changed += [f"{self.name}: a reader: {p}" for p in self.reader.finish()]
            left = [name for name, data in launch.files_in(os.path.join(self.folder, "spool")).items() if data[:1] == b"G"]
            if left:
                self.ended.append(f"{self.name}: segments are left in the spool: {left}")
            written = [name for name in os.listdir(self.folder) if name.startswith("cam")]
            if written:
                self.ended.append(f"{self.name}: these are on disk: {written}")
        self.server.kill()


class S3Lane(HttpLane):
    """One whose recording is in a bucket. What that had at the last look is in self.rec."""

    def open_store(self):
        name = os.path.basename(self.folder)
        self.server = rgw.Rgw(CLUSTER[0])
        self.server.start()
        self.bucket = self.server.bucket(name, CLUSTER[0].user(name), public=True)
        self.environment = self.bucket.user.environment()
        self.store = S3.format(endpoint=self.server.endpoint(), bucket=name)
        self.rec = os.path.join(self.folder, "rec")
        os.mkdir(self.rec)
        return self.bucket.url("rec/cam.m3u8")

    def has_begun(self):
        return self.bucket.get("rec/cam.m3u8") is not None

    def objects(self):
        """The server may be away meanwhile."""
        end = time.monotonic() + 30
        while True:
            try:
                return self.bucket.objects("rec/")
            except (OSError, http.client.HTTPException):
                tap.check(time.monotonic() < end, f"{self.name}: the bucket could not be read for 30 s")
                time.sleep(0.05)

    def look(self, number):
        found = self.objects()
        for name in os.listdir(self.rec):
            if name not in found:
                os.unlink(os.path.join(self.rec, name))
        for name, data in found.items():
            with open(os.path.join(self.rec, name), "wb") as file:
                file.write(data)
        super().look(number)


CLUSTER = []
LANES = []


def all_of(attribute):
    return [text for lane in LANES for text in getattr(lane, attribute)]


def test_recorders_live_until_they_are_killed():
    for lane in LANES:
        if lane.error:
            raise lane.error
    ended = all_of("ended")
    ended += [f"{lane.name}: there is no playlist" for lane in LANES if not os.path.exists(lane.playlist)]
    if ended:
        for lane in LANES:
            with open(os.path.join(lane.folder, "log"), encoding="utf-8", errors="replace") as log:
                tap.note("".join(log.readlines()[-40:]))
    tap.check(not ended, "\n".join(ended))


def test_what_was_listed_stays_byte_for_byte():
    tap.check(not all_of("changed"), "\n".join(all_of("changed")))


def test_numbers_never_repeat():
    tap.check(not all_of("repeated"), "\n".join(all_of("repeated")))


def test_playlists_are_correct():
    for lane in LANES:
        lane.check_playlist()


def test_segments_are_correct():
    findings = [f"{lane.name}: {f}" for lane in LANES for f in lane.report.findings]
    tap.check(not findings, "\n".join(findings))


def test_each_join_is_a_discontinuity():
    for lane in LANES:
        entries = lane.report.playlist.entries
        tap.check(not entries[0].discontinuity, f"{lane.name}: a DISCONTINUITY before the very first segment")
        undated = [s[0].uri for date, s in lane.sessions if date is None]
        tap.check(not undated or lane.sessions_of_a_run > 1, f"{lane.name}: no date at {undated}")
        homeless = [s[0].uri for (_, s), run in zip(lane.sessions, lane.run_of) if run is None]
        tap.check(not homeless, f"{lane.name}: of no run: {homeless}")
        for number in range(len(lane.runs)):
            within = lane.sessions_of(number)
            tap.check(len(within) <= lane.sessions_of_a_run, f"{lane.name}: run {number} has {len(within)} sessions")
        tap.check(len(lane.sessions) <= len(lane.runs) * lane.sessions_of_a_run, f"{lane.name}: {len(lane.sessions)} sessions, {len(lane.runs)} runs")
        # On a busy machine few runs live until something is recorded. Those that do are looked at one by one (losses()).
        tap.check(len(lane.sessions) > 1, f"{lane.name}: only {len(lane.sessions)} sessions of {len(lane.runs)} runs")


def test_at_most_a_second_is_lost():
    losses = [(lane.name, *loss) for lane in LANES for loss in lane.losses()]
    lost = sorted(loss for _, _, loss, _ in losses)
    tap.note(f"lost at a kill: median {lost[len(lost) // 2]:.3f} s, most {lost[-1]:.3f} s; "
        f"from PLAYING to the first frame at most {max(start for *_, start in losses):.3f} s")
    lived = {(lane.name, n): run.killed - (run.playing or run.killed) for lane in LANES for n, run in enumerate(lane.runs)}
    bad = [f"{name}: run {number} lost {loss:.3f} s of the {lived[name, number]:.3f} s between PLAYING and its end"
        for name, number, loss, _ in losses if loss > LOST_AT_MOST + LATENCY]
    bad += [f"{name}: run {number} lists {-loss:.3f} s more than there were" for name, number, loss, _ in losses if loss < -0.5]
    bad += [f"{name}: run {number} began {start:.3f} s late" for name, number, _, start in losses if start > START_AT_MOST]
    for lane in LANES if bad else []:
        tap.note("\n".join(lane.story()))
    tap.check(not bad, "\n".join(bad))


def test_every_whole_segment_is_listed():
    for lane in LANES:
        listed = {e.uri for e in lane.report.playlist.entries}
        unlisted = sorted(n for n in os.listdir(lane.rec) if n.endswith(".ts") and not n.startswith(".") and n not in listed)
        tap.check(not unlisted, f"{lane.name}: not listed: {unlisted}")
        tap.check(lane.report.playlist.ended, f"{lane.name}: no EXT-X-ENDLIST after the clean end")
        parts = sorted(n for n in os.listdir(lane.rec) if ".part" in n)
        if parts:
            tap.note(f"{lane.name}: {len(parts)} part files with nothing to save: {parts[:5]}")


def test_ffmpeg_decodes_it_all():
    tap.need("ffmpeg")
    for lane in LANES:
        said = tap.run(["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", lane.playlist, "-f", "null", "-progress", "-", "-"], timeout=120)
        frames = int(re.findall(r"^frame=(\d+)", said, re.M)[-1])
        listed = sum(m.frames for m in lane.report.media)
        tap.note(f"{lane.name}: {len(lane.report.playlist.entries)} segments, {len(lane.sessions)} sessions, {frames} frames decoded")
        # Between sessions ffmpeg fills or drops a frame to keep its constant rate.
        tap.check(abs(frames - listed) <= len(lane.sessions), f"{lane.name}: {frames} frames decoded, {listed} listed")


def live():
    threads = [threading.Thread(target=lane.live) for lane in LANES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", choices=("disk", "http", "s3"), default="disk")
    parser.add_argument("--kills", type=int, default=int(os.environ.get("KILLS", "50")))
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31))
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    sys.argv[1:] = []
    if args.keep:
        os.environ["AMS_KEEP"] = "1"
    tap.note(f"SEED={args.seed}, {args.kills} kills in {args.lanes} lanes")
    rng = random.Random(args.seed)
    with tap.folder() as folder:
        try:
            tap.have_element()
        except (tap.Failed, tap.Skip) as reason:
            print(f"1..1\nnot ok 1 - {reason}")
            return 1
        with contextlib.ExitStack() as stack:
            if args.store == "s3":
                try:
                    CLUSTER.append(stack.enter_context(rgw.Ceph(folder)))
                except tap.Skip as reason:
                    print(f"1..0 # SKIP {reason}")
                    return 0
            kind = {"disk": Lane, "http": HttpLane, "s3": S3Lane}[args.store]
            LANES.extend(kind(n, args.kills // args.lanes + (n < args.kills % args.lanes), random.Random(rng.random()), folder)
                for n in range(args.lanes))
            live()
        if args.store != "disk":
            tap.note(f"the servers were away {sum(lane.outages for lane in LANES)} times")
        return tap.run_tests(globals())


if __name__ == "__main__":
    sys.exit(main())
