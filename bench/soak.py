#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A soak: live streams in one process, recorded to disk, to nginx and to Ceph at once with segments of 0.75 s (8 × the usual
rate), while all three destinations fail at random. Looks whether anything is lost, differs, or is listed before it is there,
and whether memory, threads and open files stay as they are.

The servers are killed and stopped; the network to them stalls, cuts connections, loses answers, answers 5xx (chaos.py); the disk
fills up (a file system of its own in memory: only root can have one). Streams end and are started again. Prints a table; the
exit code is 0 if all is well.
"""
import argparse
import collections
import contextlib
import ctypes
import hashlib
import html
import http.client
import os
import queue
import random
import re
import signal
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "common"))
import chaos  # noqa: E402
import launch  # noqa: E402
import rgw  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402

GOP = 15  # frames of 50 ms
FRAME = 0.05  # s
LISTED, KEPT = 10, 60  # segments
PIPELINE = ("appsrc name=video ! h.video  appsrc name=audio ! h.audio  amshlssink name=h write-files=always target-duration=1 "
    f"playlist-type=live playlist-length={LISTED} max-files={KEPT} location=cam@/%06d.ts playlist-location=cam@/index.m3u8 ! tee name=t  "
    "t. ! queue ! amshttpput name=http location={http} spool-dir=spool/http@ {times}  "
    "t. ! queue ! amss3put name=s3 endpoint={s3} bucket=soak spool-dir=spool/s3@ {times}")
TIMES = "connect-timeout=3 timeout=5 stall-timeout=5 drain-timeout={drain}000000000"
COMPARED = 0.9  # a server that is away for long, and then told to delete, may not show all
# The caches of each thread and of GSlice fill slowly, and malloc() counts what is in them as used.
# Without them, what grows has leaked.
MALLOC = {"G_SLICE": "always-malloc", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0", "MALLOC_ARENA_MAX": "2"}
PLACES = ("disk", "http", "s3")
STORMS = (500, 502, 503, 503, 504, 429)
BAD_WORDS = re.compile(r"\blost\b|given up|gave up|EXT-X-GAP", re.IGNORECASE)


class Entry:
    """A segment: what is known of it, in order: its size, and the MD5 of its bytes in each place."""

    def __init__(self):
        self.size = None
        self.announced = False
        self.uploaded = set()
        self.digests = {}


class Ledger:
    """All segments of all streams, and what is wrong with them. The host's lines come in one thread, digests in others."""

    def __init__(self, streams, note=tap.note):
        self.lock, self.note = threading.Lock(), note
        self.entries = [collections.defaultdict(Entry) for _ in range(streams)]
        self.next = [0] * streams
        self.seconds = [0.0] * streams  # of the session that runs
        self.first = [True] * streams
        self.problems = collections.defaultdict(list)
        self.counts = collections.Counter()

    def problem(self, kind, text):
        with self.lock:
            self.problems[kind].append(text)
        self.note(f"{kind}: {text}")

    def added(self, stream, sequence, name, size, duration, discontinuity):
        if sequence != self.next[stream]:
            self.problem("lost", f"stream {stream}: after segment {self.next[stream] - 1} came {sequence}")
        if discontinuity != (self.first[stream] and sequence > 0):
            self.problem("lost", f"stream {stream}: segment {sequence} has {'a' if discontinuity else 'no'} discontinuity")
        self.first[stream] = False
        self.next[stream] = sequence + 1
        self.seconds[stream] += duration / 1e9
        with self.lock:
            entry = self.entries[stream][name]
            if entry.announced:
                self.problems["lost"].append(f"stream {stream}: {name} was announced twice")
            entry.size, entry.announced = size, True

    def started(self, stream):
        self.seconds[stream], self.first[stream] = 0.0, True

    def ended(self, stream, frames):
        self.counts["sessions"] += 1
        if abs(self.seconds[stream] - frames * FRAME) > 2 * FRAME:
            self.problem("lost", f"stream {stream}: {frames * FRAME:.3f} s were sent, and {self.seconds[stream]:.3f} s are in segments")

    def uploaded(self, stream, place, name):
        with self.lock:
            self.entries[stream][name].uploaded.add(place)

    def newest(self, stream):
        """The number of the newest segment that is known of in any place."""
        with self.lock:
            return max((int(name.split(".")[0]) for name in self.entries[stream]), default=0)

    def digest(self, stream, place, name, found):
        with self.lock:
            digests = self.entries[stream][name].digests
            others = set(digests.values())
            digests[place] = found
        if others and found not in others:
            self.problem("differs", f"stream {stream}: {name} has other bytes in {place} than in {', '.join(p for p in digests if p != place)}")

    def check_complete(self):
        """At the end."""
        for stream, entries in enumerate(self.entries):
            for name, entry in sorted(entries.items()):
                missing = [place for place in ("http", "s3") if place not in entry.uploaded]
                if not entry.announced:
                    self.problem("lost", f"stream {stream}: {name} was never announced")
                elif missing:
                    self.problem("lost", f"stream {stream}: {name} never reached {' and '.join(missing)}")
                for place in PLACES:
                    self.counts["compared " + place] += place in entry.digests
                self.counts["segments"] += 1
        for place in PLACES:
            if self.counts["compared " + place] < COMPARED * self.counts["segments"]:
                self.problem("differs", f"only {self.counts['compared ' + place]} of {self.counts['segments']} segments could be looked at in {place}")
        if not self.counts["segments"]:
            self.problem("lost", "there are no segments")


def last_words(path):
    """The end of a log, for whoever wonders why a process ended."""
    with open(path, encoding="utf-8", errors="replace") as log:
        lines = collections.deque((line.rstrip() for line in log), maxlen=20)
    return "its last words:\n" + "\n".join(lines) if lines else "it said nothing on stderr"


class Host:
    """The process with the streams."""

    def __init__(self, soak, pipeline, on_file):
        self.ledger, self.on_file, self.trace = soak.ledger, on_file, soak.trace
        self.samples = []
        self.warnings = collections.Counter()
        self.log = os.path.join(os.path.dirname(soak.disk), "soak-live.log")
        self.playing = set()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([soak.program, str(soak.streams), str(GOP), pipeline], cwd=soak.disk, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, env={**os.environ, **MALLOC, **soak.environment, **soak.user.environment()}, text=True)
        self.begun = time.monotonic()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def note(self, line):
        if self.trace:
            self.trace.write(f"{time.monotonic() - self.begun:.2f} {line}")

    def read(self):
        for line in self.process.stdout:
            self.note(line)
            try:
                self.on_line(*line.rstrip("\n").split("\t"))
            except Exception as error:  # pylint: disable=broad-except
                self.ledger.problem("faults", f"“{line.strip()}” is not understood: {error}")

    def on_line(self, what, *words):
        ledger = self.ledger
        if what == "added":
            stream, name = int(words[0]), os.path.basename(words[2])
            ledger.added(stream, int(words[1]), name, int(words[3]), int(words[4]), words[5] == "yes")
            self.on_file(stream, "disk", name)
        elif what == "uploaded" and words[2] == "segment" and words[1] in PLACES:
            stream, name = int(words[0]), os.path.basename(words[3])
            ledger.uploaded(stream, words[1], name)
            self.on_file(stream, words[1], name)
        elif what == "memory":
            self.samples.append([time.monotonic() - self.begun, *(int(w) for w in words)])
        elif what == "started":
            ledger.started(int(words[0]))
            self.playing.add(int(words[0]))
        elif what == "eos":
            ledger.ended(int(words[0]), int(words[1]))
        elif what == "retrying":
            ledger.counts["retries " + words[1]] += 1
        elif what in ("failed", "error"):
            ledger.problem("lost", f"stream {words[0]}, {words[1]}: {what}: {' '.join(words[2:])}")
        elif what == "warning":
            self.warnings[f"{words[1]}: {re.sub('[0-9a-f]{16}|[0-9]+', 'N', words[2])}"] += 1
            if BAD_WORDS.search(words[2]):
                ledger.problem("lost", f"stream {words[0]}, {words[1]}: {words[2]}")

    def say(self, line):
        self.note(f">>> {line}\n")
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self, timeout):
        with contextlib.suppress(OSError):
            self.say("end")
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            code = f"none: it did not end within {timeout} s"
            self.kill()
        self.reader.join()
        if code != 0:
            self.ledger.problem("lost", f"the recorder's exit code is {code}; {last_words(self.log)}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def check_log(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            for line in log:
                if "CRITICAL" in line or "WARNING **" in line:
                    self.ledger.problem("faults", line.strip())


class Watchers:
    """Threads that look at the three places."""

    def __init__(self, soak):
        self.soak, self.ledger = soak, soak.ledger
        self.files = queue.Queue()
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.guard, args=(work,), daemon=True)
            for work in (self.read_files, self.read_playlists, self.read_bucket)]

    def guard(self, work):
        try:
            work()
        except Exception as error:  # pylint: disable=broad-except
            self.ledger.problem("faults", f"{work.__name__}: {error!r}")

    def start(self):
        for thread in self.threads:
            thread.start()

    def finish(self):
        self.files.put(None)
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def path(self, stream, place, name):
        root = self.soak.disk if place == "disk" else self.soak.nginx.files
        return os.path.join(root, f"cam{stream}", name)

    def read_files(self):
        while True:
            job = self.files.get()
            if job is None:
                return
            stream, place, name = job
            if place == "s3":
                continue
            try:
                with open(self.path(stream, place, name), "rb") as file:
                    data = file.read()
            except FileNotFoundError:
                # What was stored late, as the disk was full, may have left the window before it was announced.
                if self.ledger.newest(stream) - int(name.split(".")[0]) < KEPT:
                    self.ledger.problem("order", f"stream {stream}: {name} is said to be in {place} and is not")
                continue
            size = self.ledger.entries[stream][name].size
            if size is not None and size != len(data):
                self.ledger.problem("differs", f"stream {stream}: {name} has {len(data)} bytes in {place}, not {size}")
            self.ledger.digest(stream, place, name, hashlib.md5(data).hexdigest())

    def listed(self, stream, place):
        try:
            with open(self.path(stream, place, "index.m3u8"), encoding="utf-8") as file:
                text = file.read()
        except FileNotFoundError:
            return []
        if not text.startswith("#EXTM3U") or not text.endswith("\n"):
            self.ledger.problem("order", f"stream {stream}: the playlist in {place} is not whole: {text[-60:]!r}")
        if "#EXT-X-GAP" in text:
            self.ledger.problem("lost", f"stream {stream}: the playlist in {place} has a gap")
        self.ledger.counts["playlists read"] += 1
        return servers.listed(text)[1]

    def missing(self, stream, place):
        """What is listed, and not there, and listed still."""
        found = [name for name in self.listed(stream, place) if not os.path.exists(self.path(stream, place, name))]
        return [name for name in self.listed(stream, place) if name in found] if found else []

    def read_playlists(self):
        while not self.ending.wait(0.5):
            for stream in range(self.soak.streams):
                for place in ("disk", "http"):
                    missing = self.missing(stream, place)
                    if missing:
                        self.ledger.problem("order", f"stream {stream}: {missing} are listed in {place} and not there")

    def objects(self, stream):
        """Name and MD5 of what is in the bucket."""
        _, _, body = self.soak.bucket.do("GET", "", query={"list-type": "2", "prefix": f"cam{stream}/"})
        found = {}
        for text in re.findall(r"<Contents>(.*?)</Contents>", body.decode()):
            key = re.search(r"<Key>(.*?)</Key>", text).group(1)
            found[os.path.basename(key)] = html.unescape(re.search(r"<ETag>(.*?)</ETag>", text).group(1)).strip('"')
        return found

    def listed_in_bucket(self, stream):
        data = self.soak.bucket.get(f"cam{stream}/index.m3u8")
        return servers.listed(data.decode())[1] if data else []

    def look_at_bucket(self, stream):
        listed = self.listed_in_bucket(stream)
        objects = self.objects(stream)
        missing = [name for name in listed if name not in objects]
        if missing:
            listed = self.listed_in_bucket(stream)
            missing = [name for name in missing if name in listed]
        if missing:
            self.ledger.problem("order", f"stream {stream}: {missing} are listed in s3 and not there")
        self.ledger.counts["playlists read"] += bool(listed)
        for name, digest in objects.items():
            if name.endswith(".ts") and self.ledger.entries[stream][name].digests.get("s3") != digest:
                self.ledger.digest(stream, "s3", name, digest)

    def read_bucket(self):
        stream = 0
        while not self.ending.wait(max(0.1, 2 / self.soak.streams)):
            stream = (stream + 1) % self.soak.streams
            with contextlib.suppress(OSError, http.client.HTTPException, tap.Failed):
                self.look_at_bucket(stream)


class Faults(threading.Thread):
    """Those of one destination, one after the other: name and what it does for so many seconds."""

    def __init__(self, soak, place, kinds, seed):
        super().__init__(daemon=True)
        self.soak, self.place, self.kinds = soak, place, kinds
        self.rng = random.Random(seed)
        self.ending = threading.Event()
        self.counts = collections.Counter()
        self.away = 0.0

    def run(self):
        calm, bad = self.soak.times["disk" if self.place == "disk" else "net"]
        while not self.ending.wait(self.rng.uniform(*calm)):
            name, fault = self.rng.choice(self.kinds)
            begun = time.monotonic()
            try:
                fault(self.rng.uniform(*bad), self)
            except Exception as error:  # pylint: disable=broad-except
                self.soak.ledger.problem("faults", f"{self.place}: {name}: {error!r}")
            self.counts[name] += 1
            self.away += time.monotonic() - begun

    def finish(self):
        self.ending.set()
        self.join()


def kill(server):
    def fault(seconds, faults):
        server.kill()
        faults.ending.wait(seconds)
        for attempt in range(3):
            try:
                server.start()
                return
            except tap.Failed:
                if attempt == 2:
                    raise
    return fault


def stop(get_process):
    def fault(seconds, faults):
        group = get_process().pid
        os.killpg(group, signal.SIGSTOP)
        faults.ending.wait(seconds)
        os.killpg(group, signal.SIGCONT)
    return fault


def network(proxy, mode):
    def fault(seconds, faults):
        proxy.be(mode(faults.rng) if callable(mode) else mode)
        faults.ending.wait(seconds)
        proxy.be("pass")
    return fault


def faults_of_network(proxy):
    return [(name, network(proxy, mode)) for name, mode in (("refused", "refuse"), ("stalled", "stall"), ("slow", "slow"), ("cut", "cut 0.1"),
        ("cut", "cut 0.02"), ("answers lost", "lost 0.5"), ("answers lost", "lost 1"),
        ("5xx", lambda rng: f"storm {rng.choice(STORMS)}"), ("5xx", lambda rng: f"storm {rng.choice(STORMS)}"))]


def fill(folder):
    """All that becomes free meanwhile is taken as well."""
    def fault(seconds, faults):
        path = os.path.join(folder, "full")
        end = time.monotonic() + seconds
        with open(path, "wb") as file:
            while time.monotonic() < end and not faults.ending.wait(0.02):
                there = os.statvfs(folder)
                free = there.f_bavail * there.f_frsize
                with contextlib.suppress(OSError):
                    os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size + free)
        os.unlink(path)
    return fault


@contextlib.contextmanager
def file_system(folder, megabytes):
    """A small one, in memory; gives whether it could be had."""
    libc = ctypes.CDLL(None, use_errno=True)
    mounted = libc.mount(b"amshls-soak", folder.encode(), b"tmpfs", 0, f"size={megabytes}m".encode()) == 0
    try:
        yield mounted
    finally:
        if mounted:
            libc.umount2(folder.encode(), 2)  # MNT_DETACH


class Soak:
    """One run; see results()."""

    def __init__(self, args):
        self.streams, self.seconds, self.seed = args.streams, args.seconds, args.seed
        self.program, self.environment = args.program, args.environment
        self.rng = random.Random(args.seed)
        # s between two faults, and of one; a disk that is full is asked again only after some seconds
        self.times = {"net": ((0.5, 2), (0.3, 2.5)), "disk": ((2, 6), (0.3, 1.5))} if args.short else {"net": ((2, 15), (0.5, 10)), "disk": ((10, 40), (0.5, 8))}
        self.restart_every = (4, 8) if args.short else (20, 60)
        self.drain = 60 if args.short else 180
        self.ledger = Ledger(self.streams)
        self.faults, self.readers = [], []
        self.host = None
        self.trace = args.trace

    def prepare(self, stack, folder):
        os.chmod(folder, 0o755)
        self.disk = os.path.join(folder, "disk")
        os.mkdir(self.disk)
        self.nginx = stack.enter_context(servers.Nginx(folder))
        self.ceph = stack.enter_context(rgw.Ceph(folder))
        self.gateway = stack.enter_context(rgw.Rgw(self.ceph))
        self.user = self.ceph.user("soak")
        self.bucket = self.gateway.bucket("soak", self.user, public=True)
        self.mounted = stack.enter_context(file_system(self.disk, 16 + self.streams * 12))
        self.proxies = {place: stack.enter_context(chaos.Proxy(server.ports["plain"]))
            for place, server in (("http", self.nginx), ("s3", self.gateway))}

    def start_faults(self):
        kinds = {
            "http": [("killed", kill(self.nginx)), ("killed", kill(self.nginx)), ("stopped", stop(lambda: self.nginx.process))],
            "s3": [("killed", kill(self.gateway)), ("killed", kill(self.gateway)), ("stopped", stop(lambda: self.gateway.process)),
                ("its disk stopped", stop(lambda: self.ceph.processes["osd"]))],
        }
        for place, proxy in self.proxies.items():
            kinds[place] += faults_of_network(proxy)
        if self.mounted:
            kinds["disk"] = [("full", fill(self.disk))]
        else:
            tap.note("the disk is never full: a file system of its own could not be mounted")
        self.faults = [Faults(self, place, found, self.rng.random()) for place, found in sorted(kinds.items())]
        for faults in self.faults:
            faults.start()

    def live(self, host):
        """Streams end and start again meanwhile."""
        end = time.monotonic() + self.seconds
        restart = time.monotonic() + self.rng.uniform(*self.restart_every)
        while time.monotonic() < end and host.process.poll() is None:
            time.sleep(0.1)
            if time.monotonic() > restart:
                restart = time.monotonic() + self.rng.uniform(*self.restart_every)
                host.say(f"restart {self.rng.randrange(self.streams)}")
                self.ledger.counts["restarts"] += 1

    def look_at_the_end(self, watchers):
        """Everywhere is the same, and nothing waits."""
        for stream in range(self.streams):
            prefix = f"cam{stream}"
            disk = launch.files_in(os.path.join(self.disk, prefix))
            for place, files in (("http", launch.files_in(self.nginx.path(prefix))), ("s3", self.bucket.objects(prefix + "/"))):
                for name in ["index.m3u8", *watchers.listed(stream, "disk")]:
                    if disk.get(name) != files.get(name):
                        self.ledger.problem("differs", f"stream {stream}: {name} is not the same in {place} as on the disk at the end")
            watchers.look_at_bucket(stream)
        left = [name for name, data in launch.files_in(os.path.join(self.disk, "spool")).items() if data[:1] == b"G"]
        if left:
            self.ledger.problem("lost", f"segments are left in the spool: {left}")

    def run(self, folder):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))  # servers and file system go, too
        with contextlib.ExitStack() as stack:
            self.prepare(stack, folder)
            pipeline = PIPELINE.replace("{times}", TIMES.format(drain=self.drain)).format(
                http=f"http://127.0.0.1:{self.proxies['http'].port}/", s3=f"http://127.0.0.1:{self.proxies['s3'].port}")
            watchers = Watchers(self)
            host = self.host = Host(self, pipeline, lambda *job: watchers.files.put(job))
            stack.callback(host.kill)
            launch.wait_until(lambda: len(host.playing) == self.streams or host.process.poll() is not None, "all streams record", 60)
            watchers.start()
            self.readers = [servers.PollingReader(url, interval=0.5, sliding=True)
                for url in (self.nginx.url("/cam0/index.m3u8"), self.bucket.url("cam0/index.m3u8"))]
            self.start_faults()
            self.live(host)
            for faults in self.faults:
                faults.finish()
            host.end(self.drain + 30)
            watchers.finish()
            host.check_log()
            self.look_at_the_end(watchers)
            for reader in self.readers:
                for text in reader.finish():
                    self.ledger.problem("order", f"a reader: {text}")
                self.ledger.counts["playlists read"] += reader.looked_at
            self.ledger.check_complete()

    def thirds(self, column):
        """Medians of the second and the last third; what came after the faults does not count."""
        values = [sample[column] for sample in self.host.samples if sample[0] <= self.seconds]
        third = len(values) // 3
        if third < 3:
            return 0, 0
        return statistics.median(values[third:2 * third]), statistics.median(values[2 * third:])

    def is_flat(self, column, share, slack):
        second, last = self.thirds(column)
        return 0 < last <= second * (1 + share) + slack


COLUMNS = (("resident KiB", 1), ("anonymous KiB", 2), ("heap KiB", 3), ("threads", 4), ("open files", 5))


def limits(args):
    """For each column: share, and what may come on top, as a short run has not seen everything when its second third ends."""
    return {name: ((0.10, 6144) if "KiB" in name else (0.10, 12)) if args.short else ((0.02, 0) if "KiB" in name else (0.05, 8))
        for name, _ in COLUMNS}


def report(soak, args):
    """Lines for people."""
    counts = soak.ledger.counts
    yield (f"{soak.streams} streams for {soak.seconds:.0f} s, seed {soak.seed}: {counts['segments']} segments, {counts['sessions']} sessions, "
        f"{counts['playlists read']} times a playlist was looked at")
    yield "compared byte for byte: " + ", ".join(f"{place} {counts['compared ' + place]}" for place in PLACES)
    for faults in soak.faults:
        what = ", ".join(f"{n} × {name}" for name, n in sorted(faults.counts.items()))
        retries = counts["retries " + ("store" if faults.place == "disk" else faults.place)]
        yield f"{faults.place}: {faults.away:.0f} s in trouble ({what}), {retries} retries"
    yield f"{'':14} {'second third':>13} {'last third':>11} {'ratio':>7}"
    for name, column in COLUMNS:
        second, last = soak.thirds(column)
        grows = "" if soak.is_flat(column, *limits(args)[name]) else "  GROWS"
        yield f"{name:14} {second:13.0f} {last:11.0f} {last / second if second else 0:7.3f}{grows}"
    for text, n in soak.host.warnings.most_common(12):
        yield f"{n:6} × {text[:160]}"
    for kind, texts in sorted(soak.ledger.problems.items()):
        yield f"{kind}: {len(texts)}, the first: {texts[0]}"


def is_well(soak, args):
    return not any(soak.ledger.problems.values()) and all(soak.is_flat(column, *limits(args)[name]) for name, column in COLUMNS)


def parse(arguments=None):
    parser = argparse.ArgumentParser(prog="bench/soak.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", help="a build folder with -Dbench=true, and the plugin; unset: AMS_SOAK_LIVE is the program, the plugin is found "
        "by the environment")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31))
    parser.add_argument("--short", action="store_true", help="20 s of 6 streams, with faults that are as short")
    parser.add_argument("--trace", type=argparse.FileType("w", encoding="utf-8", bufsize=1), metavar="FILE", help="what the recorder says, with the time")
    args = parser.parse_args(arguments)
    args.seconds = 20 if args.short else args.minutes * 60
    if args.short:
        args.streams = min(args.streams, 6)
    args.program, args.environment = os.environ.get("AMS_SOAK_LIVE"), {}
    if args.build:
        build = os.path.abspath(args.build)
        args.program = os.path.join(build, "bench", "soak-live")
        args.environment = {"GST_PLUGIN_PATH_1_0": os.path.join(build, "gst", "ams"), "GST_REGISTRY_1_0": os.path.join(build, "soak-registry.bin")}
    if not args.program:
        parser.error("--build says where the build is")
    return args


def main():
    args = parse()
    print(f"seed {args.seed}", flush=True)
    soak = Soak(args)
    with tap.folder() as folder:
        try:
            soak.run(folder)
        except tap.Skip as reason:
            sys.exit(f"It cannot be run: {reason}.")
        for line in report(soak, args):
            print(line)
    return 0 if is_well(soak, args) else 1


if __name__ == "__main__":
    sys.exit(main())
