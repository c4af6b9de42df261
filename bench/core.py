# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The recording core beside its targets: what tools/bench core prints, a table for each row.

Nothing here knows what amshlssink is made of: it is measured as a process, at its pads, and by its messages and files.
"""
import os
import re
import shutil
import statistics
import subprocess
import sys

FFMPEG = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
HEAD = ["", "here", "must", "aim"]
SINK = "amshlssink name=h fsync=false target-duration={target} location={out}/@-%05d.ts playlist-location={out}/@.m3u8"
TS_FRONT = "filesrc location={clip} ! tsdemux name=d d. ! queue ! h264parse ! {video} d. ! queue ! aacparse ! {audio} {rest}"
LIVE_FRONT = ("filesrc location={clip} ! qtdemux name=d d.video_0 ! queue ! h264parse ! clocksync ! {video} "
    "d.audio_0 ! queue ! aacparse ! clocksync ! {audio} {rest}")
FILE_FRONT = LIVE_FRONT.replace("clocksync ! ", "")
# amshlssink needs no queue, and a hop between threads costs as much as all that it does. A qtdemux that pulls makes two system
# calls for each frame; behind a tee it is pushed the file in large pieces, as ffmpeg reads it.
REMUX_FRONT = FILE_FRONT.replace("queue ! ", "").replace("{clip} !", "{clip} blocksize=262144 ! tee !")
FAKE = {"video": "fakesink sync=false async=false", "audio": "fakesink sync=false async=false", "rest": ""}


def progress(text):
    print(text, file=sys.stderr, flush=True)


def sink(target=6):
    return {"video": "h.video", "audio": "h.audio", "rest": SINK.replace("{target}", str(target))}


def fill(front, parts, **values):
    text = front
    for name, part in parts.items():
        text = text.replace("{" + name + "}", part)
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def clip(folder, name, seconds, size="1280x720", rate="5M", gop=2, piece=60):
    """H.264 (30 a second, a keyframe each gop s) and AAC; a piece, put together again and again. Made once."""
    path = os.path.join(folder, name)
    if os.path.exists(path):
        return path
    os.makedirs(folder, exist_ok=True)
    progress(f"Making {path} …")
    part = os.path.join(folder, "part.mp4")
    subprocess.run(FFMPEG + ["-f", "lavfi", "-i", f"testsrc2=s={size}:r=30", "-f", "lavfi", "-i", "sine=r=48000", "-t", str(piece),
        "-vf", "noise=alls=12:allf=t", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", str(gop * 30),
        "-keyint_min", str(gop * 30), "-sc_threshold", "0", "-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-c:a", "aac", "-b:a", "64k",
        part], check=True)
    kind = ["-f", "mpegts"] if name.endswith(".ts") else ["-movflags", "+faststart", "-f", "mp4"]
    subprocess.run(FFMPEG + ["-stream_loop", str(max(seconds // piece - 1, 0)), "-i", part, "-c", "copy", *kind, path + ".tmp"], check=True)
    os.rename(path + ".tmp", path)
    os.unlink(part)
    return path


def ffmpeg_hls(source, out):
    return FFMPEG + ["-i", source, "-c", "copy", "-f", "hls", "-hls_time", "6", "-hls_list_size", "0",
        "-hls_segment_filename", f"{out}/%05d.ts", f"{out}/index.m3u8"]


def launch(text):
    return ["gst-launch-1.0", "-q", *text.replace("@", "a").split()]


def instructions_of(text, folder, environment):
    """Of a pipeline in a process of its own, as callgrind counts them."""
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.path.join(folder, 'callgrind.out')}", *launch(text)]
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        timeout=900)
    said = done.stdout.decode(errors="replace")
    counted = re.search(r"Collected : (\d+)", said)
    if done.returncode or not counted:
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}\n{said[-2000:]}")
    return int(counted.group(1))


def instructions(folder, out, environment):
    """For a file of 60 s: recorded, and only taken apart and parsed."""
    source = clip(folder, "core-60.mp4", 60)
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    return [instructions_of(fill(FILE_FRONT, parts, clip=source, out=out), folder, environment) for parts in (sink(), FAKE)]


class Core:
    def __init__(self, bench, table):
        self.bench = bench
        self.args = bench.args
        self.table = table
        self.out = bench.out
        self.data = bench.data

    def measured(self, command):
        self.bench.fresh()
        figures = self.bench.measure(command, self.args.timeout * 10)
        if figures is None:
            sys.exit(f"hung: {' '.join(command)}")
        return figures

    def written(self):
        return sum(entry.stat().st_size for entry in os.scandir(self.out) if entry.name.endswith(".ts"))

    def remux_of(self, source, front):
        own = launch(fill(front, sink(), clip=source, out=self.out))
        parse = launch(fill(front, FAKE, clip=source))
        cpu = {"own": [], "peer": [], "parse": []}
        for number in range(self.args.rounds):
            progress(f"Remux of {os.path.basename(source)}, round {number + 1} of {self.args.rounds} …")
            for name, command in (("own", own), ("peer", ffmpeg_hls(source, self.out)), ("parse", parse)):
                cpu[name].append(self.measured(command)[0])
        pairs = statistics.median(a / b for a, b in zip(cpu["own"], cpu["peer"]))
        return [pairs] + [statistics.median(cpu[name]) for name in ("own", "peer", "parse")]

    def remux(self):
        """The target is for a source that costs little to take apart; of a TS, GStreamer's demuxer alone costs about what ffmpeg does."""
        rows = []
        for kind, front, must, aim in (("mp4", REMUX_FRONT, "≤ 0.7", "0.5"), ("ts", TS_FRONT, "", "")):
            source = clip(self.data, f"core-{self.args.clip_seconds}.{kind}", self.args.clip_seconds)
            pairs, own, peer, parse = self.remux_of(source, front)
            rows.append([f"source: {kind.upper()}", f"{pairs:.2f}", must, aim, f"{own:.2f}", f"{peer:.2f}", f"{parse:.2f}"])
        self.table(f"Remux of {self.args.clip_seconds} s into TS against ffmpeg -c copy -f hls, CPU, medians of {self.args.rounds}",
            ["", "× ffmpeg", "must", "aim", "CPU s", "ffmpeg", "demux, parse"], rows)

    def instructions(self):
        progress("Instructions …")
        own, parse = instructions(self.data, self.out, self.bench.environment)
        self.table("Instructions for 60 s, demux and parse subtracted (callgrind)", HEAD,
            [["millions", f"{(own - parse) / 1e6:.0f}", "≤ 80", "40"], ["(demux, parse)", f"{parse / 1e6:.0f}", "", ""]])

    def live_run(self, source, parts, count, seconds, warm_up=8, folder=None):
        self.bench.fresh()
        text = fill(LIVE_FRONT, parts, clip=source, out=self.out)
        command = [os.path.join(self.args.build, "bench", "bench-live"), str(seconds), str(warm_up), str(count), text, *([folder] if folder else [])]
        done = subprocess.run(command, env=self.bench.environment, check=True, stdout=subprocess.PIPE, timeout=seconds + warm_up + 180)
        return [line.split() for line in done.stdout.decode().splitlines()]

    def pairs(self, source, count, seconds, rounds, target=6):
        """Medians of what a recording costs beyond its source, of each stream, and the sinks' own figures."""
        differences, own = [], []
        for number in range(rounds):
            progress(f"{count} live streams, pair {number + 1} of {rounds} …")
            base, sinks = (self.live_run(source, parts, count, seconds)[0] for parts in (FAKE, sink(target)))
            differences.append([(float(sinks[i]) - float(base[i])) / count for i in (0, 1, 4, 5)])
            own.append(sinks)
        return [statistics.median(column) for column in zip(*differences)], own

    def live(self):
        source = clip(self.data, "core-600.mp4", 600)
        for count in self.args.core_streams:
            (cpu, memory, sleeps, threads), own = self.pairs(source, count, self.args.live_seconds, self.args.live_rounds)
            delays = [run for run in own if run[2] != "-"]
            rows = [
                ["CPU, % of a core", f"{cpu * 100:.2f}", "≤ 0.2", "0.1"],
                ["wake-ups a second", f"{sleeps:.0f}", "≤ 10", "4"],
                ["threads", f"{threads:.2f}", f"0, ≤ 4 in all ({4 / count:.2f})", ""],
                ["own threads of the process", f"{statistics.median(int(run[7]) for run in own):g}", "≤ 4", ""],
                ["MiB, GOP 2 s", f"{memory / 1024:.2f}", "≤ 0.8", "0.4"],
                ["longest wait at a pad, ms", f"{statistics.median(float(run[6]) for run in own):.1f}", "", ""],
            ]
            for name, at, must in (("keyframe → line, ms, median", 2, "≤ 20"), ("keyframe → line, ms, most", 3, "")):
                rows.append([name, f"{statistics.median(float(run[at]) for run in delays):.1f}" if delays else "-", must, ""])
            self.table(f"{count} live streams (5 Mb/s) in one process over {self.args.live_seconds:g} s beyond parse → fakesink, each", HEAD, rows)

    def memory(self):
        """With GOPs this long a packager that waits for keyframes holds what came since; the figures are of two times."""
        source = clip(self.data, "core-gop120-360.mp4", 360, "640x360", "2M", gop=120, piece=120)
        rows = []
        for seconds in (self.args.core_memory, self.args.core_memory * 2):
            (_, memory, _, _), _ = self.pairs(source, 20, seconds, 1)
            rows.append([f"MiB after {seconds + 8:g} s", f"{memory / 1024:.2f}", "≤ 0.8", "0.4"])
        self.table("Memory of a stream with a GOP of 120 s (2 Mb/s) beyond parse, each of 20: it does not grow", HEAD, rows)

    def size(self):
        video = clip(self.data, "core-60.mp4", 60)
        radio = os.path.join(self.data, "core-radio.aac")
        if not os.path.exists(radio):
            subprocess.run(FFMPEG + ["-f", "lavfi", "-i", "anoisesrc=r=48000:a=0.3", "-t", "300", "-c:a", "aac", "-b:a", "64k", radio], check=True)
        front = LIVE_FRONT.replace("clocksync ! ", "")
        rows = []
        for name, source, text in (("AAC, 64 kb/s", radio, "filesrc location={clip} ! aacparse ! h.audio " + SINK.replace("{target}", "6")),
                ("720p", video, fill(front, sink()))):
            self.measured(launch(text.replace("{clip}", source).replace("{out}", self.out)))
            own = self.written()
            self.measured(ffmpeg_hls(source, self.out))
            rows.append([name, f"{own / self.written():.3f}", "≤ 1.02", ""])
        self.table("Size of a recording × ffmpeg's", HEAD, rows)

    def lists(self):
        wall = {}
        for entries in (100, 100000):
            self.bench.fresh()
            runs = [subprocess.run([os.path.join(self.args.build, "bench", "bench-playlist"), self.out, str(entries), "2000"],
                env=self.bench.environment, check=True, stdout=subprocess.PIPE, timeout=300).stdout.split() for _ in range(3)]
            wall[entries] = statistics.median(float(run[0]) for run in runs)
        self.table("Segments a second into an event playlist (fsync off)", HEAD,
            [[f"list of {entries}", f"{1e6 / µs:.0f}", "", ""] for entries, µs in wall.items()] + [["time, 100 000 × 100", f"{wall[100000] / wall[100]:.2f}", "≤ 1.1", ""]])

    def frames_kept(self, count):
        kept = []
        for number in range(count):
            said = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-count_packets", "-show_entries", "stream=nb_read_packets",
                "-of", "csv=p=0", os.path.join(self.out, f"{number}.m3u8")], check=True, stdout=subprocess.PIPE).stdout.split()
            kept.append(int(said[0].strip(b",")) if said else 0)
        return kept

    def whole(self, source, count, seconds, folder):
        """Runs, ends and counts: the figures, and how many frames were taken, and lost."""
        figures, taken = self.live_run(source, sink(2), count, seconds, 2, folder)
        kept = self.frames_kept(count)
        return figures, sum(map(int, taken)), sum(abs(int(a) - b) for a, b in zip(taken, kept))

    def stall(self):
        source = clip(self.data, "core-600.mp4", 600)
        progress("A disk that stalls for 3 s …")
        figures, taken, lost = self.whole(source, 1, 16, self.out)
        self.table("A disk that stalls for 3 s", HEAD, [["longest wait of a buffer at a pad, ms", figures[6], "≤ 20", ""],
            ["keyframe → line, ms, most (a stall that was there shows here)", figures[3], "", ""], ["frames lost", f"{lost} of {taken}", "0", ""]])

    def many(self):
        source = clip(self.data, "core-small.mp4", 600, "320x180", "300k")
        count, seconds = self.args.core_many, self.args.core_many_seconds
        progress(f"{count} live streams for {seconds:g} s …")
        figures, taken, lost = self.whole(source, count, seconds, "-")
        self.table(f"{count} live streams (0.4 Mb/s) in one process for {seconds:g} s, with their source", HEAD, [["frames lost", f"{lost} of {taken}", "0", ""],
            ["CPU, cores", figures[0], "", ""], ["MiB", f"{int(figures[1]) / 1024:.0f}", "", ""], ["threads", figures[5], "", ""],
            ["wake-ups a second", figures[4], "", ""], ["keyframe → line, ms: median", figures[2], "", ""], ["most", figures[3], "", ""],
            ["longest wait at a pad, ms", figures[6], "", ""]])

    def run(self):
        for row in ("remux", "instructions", "live", "memory", "size", "lists", "stall", "many"):
            if not self.args.row or row in self.args.row:
                getattr(self, row)()
        shutil.rmtree(self.out, ignore_errors=True)
