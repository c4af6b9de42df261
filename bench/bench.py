#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures amshlssink, amshttpput and amss3put beside what they compete with and beside their targets, and prints tables.

The candidates run in turn, round after round, and the median of each is printed, so that what else the machine
does meets them all. CPU is user + system of the whole process, memory its largest resident size, files are on the
disk that the build folder is on.
"""
import argparse
import base64
import hashlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, os.pardir, "tests", "common")]
import core  # pylint: disable=wrong-import-position
import rgw  # pylint: disable=wrong-import-position
import servers  # pylint: disable=wrong-import-position
import tap  # pylint: disable=wrong-import-position

FRONT = "filesrc location={clip} ! qtdemux name=d d.video_0 ! queue ! h264parse ! {video} d.audio_0 ! queue ! aacparse ! {audio} "
AMS = "amshlssink name=x location={out}/%05d.ts playlist-location={out}/index.m3u8 "
HLSSINK2 = ("hlssink2 name=x max-files=0 playlist-length=0 location={out}/%05d.ts playlist-location={out}/index.m3u8 ")
REMUX = {
    "mpegtsmux ! filesink": "mpegtsmux name=x ! filesink location={out}/all.ts",
    "hlssink2, 6 s": HLSSINK2 + "target-duration=6",
    "hlssink2, 60 s": HLSSINK2 + "target-duration=60",
    "amshlssink fsync=false, 6 s": AMS + "fsync=false target-duration=6",
    "amshlssink fsync=false, 60 s": AMS + "fsync=false target-duration=60",
    "amshlssink, 6 s": AMS + "target-duration=6",
    "amshlssink, 60 s": AMS + "target-duration=60",
}
LIVE_FRONT = ("filesrc location={clip} ! qtdemux name=d d.video_0 ! queue ! h264parse ! clocksync ! {video} "
    "d.audio_0 ! queue ! aacparse ! clocksync ! {audio} ")
LIVE = {
    "the source alone": ("fakesink sync=false", "fakesink sync=false", ""),
    "amshlssink fsync=false": ("h.video", "h.audio", "amshlssink name=h fsync=false target-duration=6 "
        "location={out}/@-%05d.ts playlist-location={out}/@.m3u8"),
    "amshlssink": ("h.video", "h.audio", "amshlssink name=h target-duration=6 location={out}/@-%05d.ts playlist-location={out}/@.m3u8"),
    "hlssink2": ("h.video", "h.audio", "hlssink2 name=h max-files=0 playlist-length=0 target-duration=6 "
        "location={out}/@-%05d.ts playlist-location={out}/@.m3u8"),
}
# amshttpput's properties, and whether it has a spool.
PUT = {
    "curl -T": None,
    "amshttpput max-parallel=1 overwrite=always": ("max-parallel=1 overwrite=always", False),
    "amshttpput overwrite=always": ("overwrite=always", False),
    "amshttpput": ("", False),
    "amshttpput max-parallel=1 overwrite=always spool-dir": ("max-parallel=1 overwrite=always", True),
    "amshttpput overwrite=always spool-dir": ("overwrite=always", True),
    "amshttpput spool-dir": ("", True),
}
# amss3put's, the same.
S3_PUT = {
    "amss3put max-parallel=1": ("max-parallel=1", False),
    "amss3put overwrite=always": ("overwrite=always", False),
    "amss3put": ("", False),
    "amss3put spool-dir": ("", True),
}


def table(title, head, rows):
    print(f"\n{title}\n")
    rows = [[str(c) for c in row] for row in rows]
    widths = [max(len(r[i]) for r in [head] + rows) for i in range(len(head))]
    for row in [head, ["-" * w for w in widths]] + rows:
        print("| " + " | ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))) + " |")
    sys.stdout.flush()


BACKLOG_HEAD = ["resident MiB", "peak MiB", "drained in s", "MB/s", "CPU s"]


def backlog_row(megabytes, said, rest):
    return [f"{int(said[1]) / 1024:.1f}", f"{int(rest[2]) / 1024:.1f}", rest[0].decode(), f"{megabytes / float(rest[0]):.0f}", rest[1].decode()]


def peak_of(pid):
    """KiB; 0 of what has ended. getrusage's is never less than what this process had when it started the other."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("VmHWM:")), 0)


def progress(text):
    print(text, file=sys.stderr, flush=True)


def make_clip(folder, seconds):
    """720p30, H.264 at 5 Mb/s with a keyframe every 2 s, AAC; made once: a minute, put together again and again."""
    clip = os.path.join(folder, f"clip-{seconds}.mp4")
    if os.path.exists(clip):
        return clip
    os.makedirs(folder, exist_ok=True)
    progress(f"Making {clip} …")
    piece = os.path.join(folder, "piece.mp4")
    ffmpeg = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
    subprocess.run(ffmpeg + ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30", "-f", "lavfi", "-i", "sine=r=48000", "-t", "60",
        "-vf", "noise=alls=12:allf=t", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "60", "-keyint_min", "60",
        "-sc_threshold", "0", "-b:v", "4870k", "-maxrate", "5200k", "-bufsize", "5000k", "-c:a", "aac", "-b:a", "128k", piece], check=True)
    subprocess.run(ffmpeg + ["-stream_loop", str(max(seconds // 60 - 1, 0)), "-i", piece, "-c", "copy", "-movflags", "+faststart",
        "-f", "mp4", clip + ".tmp"], check=True)
    os.rename(clip + ".tmp", clip)
    os.unlink(piece)
    return clip


class Bench:
    def __init__(self, args):
        self.args = args
        self.data = os.path.join(args.build, "data")
        self.out = os.path.join(self.data, "out")
        self.environment = dict(os.environ, GST_PLUGIN_PATH_1_0=os.path.join(args.build, "gst", "ams"),
            GST_REGISTRY_1_0=os.path.join(args.build, "registry.bin"), GST_DEBUG="0")
        subprocess.run(["gst-inspect-1.0", "--exists", "--atleast-version=0.0.0", "amshlssink"], env=self.environment, check=True)
        self.environment["GST_REGISTRY_UPDATE"] = "no"

    def fresh(self):
        shutil.rmtree(self.out, ignore_errors=True)
        os.makedirs(self.out)
        os.sync()

    def measure(self, command, timeout, environment=None):
        """(CPU s, peak KiB, wall s) of a process; None when it hung and was killed."""
        log_path = os.path.join(self.data, "log")
        with open(log_path, "wb") as log:
            peak = 0
            begun = time.monotonic()
            process = subprocess.Popen(command, env=environment or self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    process.returncode = os.waitstatus_to_exitcode(status)
                    break
                if time.monotonic() - begun > timeout:
                    process.kill()
                    os.wait4(process.pid, 0)
                    process.returncode = -9
                    return None
                peak = max(peak, peak_of(process.pid))
                time.sleep(0.01)
        if process.returncode != 0:
            with open(log_path, encoding="utf-8", errors="replace") as log:
                sys.exit(f"{' '.join(command)}: exit code {process.returncode}\n{log.read()[-2000:]}")
        return usage.ru_utime + usage.ru_stime, peak, time.monotonic() - begun

    def remux(self):
        clip = make_clip(self.data, self.args.clip_seconds)
        commands = {}
        for name, text in REMUX.items():
            video, audio = ("x.sink_65", "x.sink_66") if text.startswith("mpegtsmux") else ("x.video", "x.audio")
            commands[name] = ["gst-launch-1.0", "-q"] + (FRONT + text).format(clip=clip, out=self.out, video=video, audio=audio).split()
        for seconds in (6, 60):
            commands[f"ffmpeg -c copy -f hls, {seconds} s"] = ["ffmpeg", "-nostdin", "-v", "error", "-i", clip, "-c", "copy", "-f", "hls",
                "-hls_time", str(seconds), "-hls_list_size", "0", "-hls_segment_filename", f"{self.out}/%05d.ts", f"{self.out}/index.m3u8"]
        results = {name: [] for name in commands}
        hung = dict.fromkeys(commands, 0)
        for number in range(self.args.rounds):
            progress(f"Remux, round {number + 1} of {self.args.rounds} …")
            for name, command in commands.items():
                for _ in range(5):
                    self.fresh()
                    measured = self.measure(command, self.args.timeout)
                    if measured:
                        written = sum(e.stat().st_size for e in os.scandir(self.out))
                        if written < 0.9 * os.path.getsize(clip):
                            sys.exit(f"{name}: only {written} bytes were written")
                        results[name].append(measured)
                        break
                    hung[name] += 1
        shutil.rmtree(self.out, ignore_errors=True)
        medians = {name: [statistics.median(m[i] for m in r) for i in range(3)] for name, r in results.items() if r}
        ts = medians["mpegtsmux ! filesink"]
        rows = []
        for name in commands:
            if name not in medians:
                rows.append([name, "-", "-", "-", "-", "-", "-", hung[name]])
                continue
            cpu, peak, wall = medians[name]
            against = medians.get("hlssink2, 60 s" if "60 s" in name else "hlssink2, 6 s")
            rows.append([name, f"{cpu:.2f}", f"{cpu / against[0]:.2f}" if against else "-", f"{cpu / ts[0]:.2f}",
                f"{peak / 1024:.1f}", f"{(peak - ts[1]) / 1024:+.1f}", f"{wall:.1f}", hung[name]])
        table(f"Remux of {self.args.clip_seconds} s of 720p H.264 + AAC at 5 Mb/s, medians of {self.args.rounds}",
            ["", "CPU s", "× hlssink2", "× filesink", "peak MiB", "over filesink", "wall s", "hung"], rows)

    def playlist(self):
        sizes = (100, 10000, 100000)
        results = {n: [] for n in sizes}
        for number in range(self.args.rounds):
            progress(f"Playlist, round {number + 1} of {self.args.rounds} …")
            for n in sizes:
                self.fresh()
                said = subprocess.run([os.path.join(self.args.build, "bench", "bench-playlist"), self.out, str(n), "2000"],
                    env=self.environment, check=True, stdout=subprocess.PIPE, timeout=300).stdout.split()
                results[n].append([float(x) for x in said])
        shutil.rmtree(self.out, ignore_errors=True)
        medians = {n: [statistics.median(m[i] for m in r) for i in range(2)] for n, r in results.items()}
        table("Adding a segment to an event playlist and writing it (fsync=false), medians", ["entries before", "wall µs", "× 100 entries", "CPU µs", "× 100 entries"],
            [[n, f"{w:.1f}", f"{w / medians[100][0]:.2f}", f"{c:.1f}", f"{c / medians[100][1]:.2f}"] for n, (w, c) in medians.items()])

    def spool(self):
        sizes = (1000, 10000, 100000)
        rows = []
        for n in sizes:
            progress(f"Spool, {n} files waiting …")
            self.fresh()
            said = subprocess.run([os.path.join(self.args.build, "bench", "bench-spool"), self.out, str(n), "500"],
                env=self.environment, check=True, stdout=subprocess.PIPE, timeout=1800).stdout.split()
            rows.append([n, *(float(x) for x in said)])
        shutil.rmtree(self.out, ignore_errors=True)
        table("Handing a segment and its playlist to a store that is away", ["files in the spool", "wall µs", "CPU µs", "bytes of memory a file"],
            [[n, f"{w:.0f}", f"{c:.0f}", f"{b:.0f}"] for n, w, c, b in rows])

    def live(self):
        clip = make_clip(self.data, self.args.clip_seconds)
        rows = []
        for count in self.args.streams:
            results = {name: [] for name in LIVE}
            hung = dict.fromkeys(LIVE, 0)
            for number in range(self.args.live_rounds):
                progress(f"{count} live streams, round {number + 1} of {self.args.live_rounds} …")
                for name, (video, audio, sink) in LIVE.items():
                    self.fresh()
                    text = (LIVE_FRONT + sink).format(clip=clip, video=video, audio=audio, out=self.out)
                    command = [os.path.join(self.args.build, "bench", "bench-live"), str(self.args.live_seconds), "8", str(count), text]
                    try:
                        said = subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE,
                            timeout=self.args.live_seconds + 60).stdout.split()
                        results[name].append(said)
                    except subprocess.TimeoutExpired:
                        hung[name] += 1
            source = None
            for name, r in results.items():
                if not r:
                    rows.append([f"{count} × {name}", "-", "-", "-", "-", "-", hung[name]])
                    continue
                cpu = statistics.median(float(m[0]) for m in r) / count
                memory = statistics.median(float(m[1]) for m in r) / count / 1024
                if source is None:
                    source = (cpu, memory)
                delays = [m for m in r if m[2] != b"-"]
                rows.append([f"{count} × {name}", f"{cpu * 100:.2f}", f"{(cpu - source[0]) * 100:.2f}", f"{memory:.2f}", f"{memory - source[1]:.2f}",
                    " / ".join(f"{statistics.median(float(m[i]) for m in delays):.1f}" for i in (2, 3)) if delays else "-", hung[name]])
        shutil.rmtree(self.out, ignore_errors=True)
        table(f"Live streams (5 Mb/s each, 6 s segments) in one process over {self.args.live_seconds} s, medians of {self.args.live_rounds}; "
            "for each stream", ["", "CPU %", "less source", "MiB", "less source", "keyframe → listed, ms: median / most", "hung"], rows)

    def make_files(self, count, size):
        """What curl sends: bench-NNNNN.ts, which it finds in the page cache."""
        folder = os.path.join(self.data, f"files-{count}-{size}")
        if not os.path.exists(folder):
            progress(f"Making {folder} …")
            os.makedirs(folder + ".tmp", exist_ok=True)
            for number in range(count):
                with open(os.path.join(folder + ".tmp", f"bench-{number:05}.ts"), "wb") as file:
                    file.write(bytes(size))
            os.rename(folder + ".tmp", folder)
        return folder

    def curl(self, server, count, size):
        """(wall s, CPU s) of one curl that sends all files over one connection."""
        folder = self.make_files(count, size)
        config = os.path.join(self.data, "curl.conf")
        with open(config, "w", encoding="utf-8") as file:
            for number in range(count):
                name = f"bench-{number:05}.ts"
                file.write(f'upload-file = "{folder}/{name}"\nurl = "{server.url("/put/" + name)}"\n')
        cpu, _, wall = self.measure(["curl", "-sSf", "-K", config], 600)
        return wall, cpu

    def put_command(self, element, target, mode, count, size, row):
        properties, spool = row
        command = [os.path.join(self.args.build, "bench", "bench-put"), mode, str(count), str(size), element, *target,
            "drain-timeout=18446744073709551615", *properties.split()]
        return command + [f"spool-dir={self.out}/spool"] * spool

    def http_put_command(self, server, mode, count, size, row):
        return self.put_command("amshttpput", ["location=" + server.url("/put/")], mode, count, size, row)

    def amshttpput(self, server, count, size, row):
        said = subprocess.run(self.http_put_command(server, "throughput", count, size, row), env=self.environment, check=True,
            stdout=subprocess.PIPE, timeout=600).stdout.split()
        return float(said[0]), float(said[1])

    def fresh_put(self, server):
        self.fresh()
        shutil.rmtree(server.path("/put"), ignore_errors=True)
        os.makedirs(server.path("/put"))

    def put_throughput(self, server, count, size):
        results = {name: [] for name in PUT}
        for number in range(self.args.put_rounds):
            for name, row in PUT.items():
                progress(f"{count} files of {size} bytes, round {number + 1} of {self.args.put_rounds}: {name} …")
                self.fresh_put(server)
                results[name].append(self.amshttpput(server, count, size, row) if row else self.curl(server, count, size))
                if len(os.listdir(server.path("/put"))) != count:
                    sys.exit(f"{name}: not all files were stored")
        medians = {name: [statistics.median(m[i] for m in r) for i in range(2)] for name, r in results.items()}
        wall, cpu = medians["curl -T"]
        table(f"{count} files of {size / 1e6:g} MB to nginx on loopback, medians of {self.args.put_rounds}",
            ["", "wall s", "MB/s", "throughput × curl", "CPU s", "CPU × curl"],
            [[name, f"{w:.2f}", f"{count * size / w / 1e6:.0f}", f"{wall / w:.2f}", f"{c:.2f}", f"{c / cpu:.2f}"]
                for name, (w, c) in medians.items()])

    @staticmethod
    def while_stopped(server, command, environment):
        """What bench-put says, to a server that takes the connection and nothing else, until bench-put is ready."""
        os.killpg(server.process.pid, signal.SIGSTOP)
        try:
            process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            said = process.stdout.readline().split()
        finally:
            os.killpg(server.process.pid, signal.SIGCONT)
        rest, _ = process.communicate(b"\n", timeout=600)
        if process.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
        return said, rest.split()

    def put_to_stopped(self, server, mode, count, size):
        self.fresh_put(server)
        return self.while_stopped(server, self.http_put_command(server, mode, count, size, ("overwrite=always timeout=0 stall-timeout=0", True)),
            self.environment)

    def put_backlog(self, server):
        progress("A backlog of 1000 files …")
        said, rest = self.put_to_stopped(server, "backlog", 1000, 1000000)
        table("A backlog of 1000 files of 1 MB in the spool of amshttpput", BACKLOG_HEAD, [backlog_row(1000, said, rest)])

    def put_waits(self, server):
        longest = []
        latency = []
        for number in range(self.args.put_rounds):
            progress(f"What waits, round {number + 1} of {self.args.put_rounds} …")
            said, _ = self.put_to_stopped(server, "hang", 100, 1000000)
            longest.append(float(said[3]))
            self.fresh_put(server)
            said = subprocess.run(self.http_put_command(server, "latency", 100, 1000000, PUT["amshttpput"]), env=self.environment, check=True,
                stdout=subprocess.PIPE, timeout=600).stdout.split()
            latency.append([float(x) for x in said])
        table(f"What waits, medians of {self.args.put_rounds}", ["", "ms"], [
            ["longest that the pad kept a buffer, 100 MB to a server that hangs, spool-dir", f"{statistics.median(longest):.2f}"],
            ["end of a 1 MB segment → playlist stored, median of 100", f"{statistics.median(m for m, _ in latency):.2f}"],
            ["the longest of these", f"{statistics.median(m for _, m in latency):.2f}"]])

    def put(self):
        """In memory where that is possible: what the server's disk does would be all that is seen."""
        memory = self.args.put_folder or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else self.data)
        os.makedirs(self.data, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="amshls-bench-", dir=memory) as folder, servers.Nginx(folder) as server:
            self.put_waits(server)
            self.put_backlog(server)
            self.put_throughput(server, self.args.put_large, 4000000)
            self.put_throughput(server, self.args.put_small, 20000)
        shutil.rmtree(self.out, ignore_errors=True)

    def s3_curl(self, bucket, folder, signed, parallel):
        """curl with all files, over connections that it keeps. It does not hash what it uploads, but signs what the header
        says: either nothing, or what somebody has hashed, which counts (the hash is known before, as all files are zeros)."""
        names = sorted(os.listdir(folder))
        with open(os.path.join(folder, names[0]), "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest() if signed else "UNSIGNED-PAYLOAD"
        common = [f'user = "{bucket.user.access_key}:{bucket.user.secret_key}"', f'aws-sigv4 = "aws:amz:{rgw.REGION}:s3"']
        common.append(f'header = "x-amz-content-sha256: {digest}"')
        pairs = [f'upload-file = "{folder}/{name}"\nurl = "{bucket.url(name)}"' for name in names]
        config = os.path.join(self.data, f"curl-s3-{signed}.conf")
        servers.write(config, "\n".join(common + pairs + [""]))
        curl = f"curl -sSf {'-Z --parallel-max 4 ' * parallel}-K {config}"
        return ["sh", "-c", f"openssl dgst -sha256 -r {folder}/*.ts && exec {curl}" if signed else f"exec {curl}"]

    def s3_s3cmd(self, bucket, folder):
        host = bucket.server.endpoint().partition("://")[2]
        config = os.path.join(self.data, "s3cfg")
        servers.write(config, "\n".join(["[default]", f"access_key = {bucket.user.access_key}", f"secret_key = {bucket.user.secret_key}",
            f"host_base = {host}", f"host_bucket = {host}", "use_https = False", ""]))
        return ["s3cmd", "-c", config, "--no-progress", "--quiet", "put", *sorted(e.path for e in os.scandir(folder)), f"s3://{bucket.name}/"]

    def s3_commands(self, bucket, count, size):
        folder = self.make_files(count, size)
        commands = {
            "curl --aws-sigv4": self.s3_curl(bucket, folder, False, False),
            "curl --aws-sigv4 -Z": self.s3_curl(bucket, folder, False, True),
            "openssl dgst, curl --aws-sigv4": self.s3_curl(bucket, folder, True, False),
            "openssl dgst, curl --aws-sigv4 -Z": self.s3_curl(bucket, folder, True, True),
        }
        if shutil.which("s3cmd"):
            commands["s3cmd put"] = self.s3_s3cmd(bucket, folder)
        if shutil.which("aws"):
            commands["aws s3 cp --recursive"] = ["aws", "--endpoint-url", bucket.server.endpoint(), "s3", "cp", "--recursive",
                "--only-show-errors", folder, f"s3://{bucket.name}/"]
        for name, row in S3_PUT.items():
            commands[name] = self.s3_put_command(bucket, "throughput", count, size, row)
        return commands

    def s3_put_command(self, bucket, mode, count, size, row):
        target = [f"endpoint={bucket.server.endpoint()}", f"bucket={bucket.name}"]
        return self.put_command("amss3put", target, mode, count, size, row)

    def fresh_s3(self, bucket):
        """Deletes a thousand at once, as many as a request may name."""
        self.fresh()
        keys = bucket.keys()
        for at in range(0, len(keys), 1000):
            body = "<Delete><Quiet>true</Quiet>" + "".join(f"<Object><Key>{key}</Key></Object>" for key in keys[at:at + 1000]) + "</Delete>"
            digest = base64.b64encode(hashlib.md5(body.encode()).digest()).decode()
            bucket.do("POST", "", query={"delete": ""}, headers={"content-md5": digest}, body=body.encode())

    def s3_throughput(self, bucket, environment, count, size):
        commands = self.s3_commands(bucket, count, size)
        results = {name: [] for name in commands}
        for number in range(self.args.s3_rounds):
            for name, command in commands.items():
                progress(f"{count} files of {size} bytes, round {number + 1} of {self.args.s3_rounds}: {name} …")
                self.fresh_s3(bucket)
                measured = self.measure(command, 600, environment)
                if measured is None or len(bucket.keys()) != count:
                    sys.exit(f"{name}: not all files were stored")
                results[name].append(measured)
        medians = {name: [statistics.median(m[i] for m in r) for i in range(3)] for name, r in results.items()}
        fastest = min(wall for name, (_, _, wall) in medians.items() if name not in S3_PUT)
        curl, signed = (medians[name][0] for name in ("curl --aws-sigv4", "openssl dgst, curl --aws-sigv4"))
        table(f"{count} files of {size / 1e6:g} MB to Ceph's gateway on loopback, whole processes, medians of {self.args.s3_rounds} "
            "(wanted: throughput ≥ 1, CPU ≤ 1.5)",
            ["", "wall s", "MB/s", "throughput × fastest other", "CPU s", "CPU × curl", "× openssl, curl", "peak MiB"],
            [[name, f"{w:.2f}", f"{count * size / w / 1e6:.0f}", f"{fastest / w:.2f}", f"{c:.2f}", f"{c / curl:.2f}", f"{c / signed:.2f}",
                f"{peak / 1024:.1f}"] for name, (c, peak, w) in medians.items()])

    def s3_backlog(self, bucket, environment):
        """Half of put_backlog()'s bytes, as the gateway's disk is 1 GiB of memory."""
        progress("A backlog of 1000 files in S3 …")
        self.fresh_s3(bucket)
        command = self.s3_put_command(bucket, "backlog", 1000, 500000, ("overwrite=always timeout=0 stall-timeout=0", True))
        said, rest = self.while_stopped(bucket.server, command, environment)
        table("A backlog of 1000 files of 500 kB in the spool of amss3put", BACKLOG_HEAD, [backlog_row(500, said, rest)])

    def s3(self):
        for program in ("s3cmd", "aws"):
            if not shutil.which(program):
                progress(f"{program} is not installed, and left out.")
        os.makedirs(self.data, exist_ok=True)
        try:
            with tempfile.TemporaryDirectory(prefix="amshls-bench-") as folder, rgw.Ceph(folder) as ceph, rgw.Rgw(ceph) as server:
                bucket = server.bucket("bench", ceph.user("bench"))
                # Nothing that the user has set up says anything else.
                environment = {**self.environment, **bucket.user.environment(), "AWS_CONFIG_FILE": os.devnull,
                    "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_DEFAULT_REGION": rgw.REGION}
                self.s3_backlog(bucket, environment)
                self.s3_throughput(bucket, environment, self.args.s3_large, 4000000)
                self.s3_throughput(bucket, environment, self.args.s3_small, 200000)
        except tap.Skip as why:
            progress(f"S3 is left out: {why}")
        shutil.rmtree(self.out, ignore_errors=True)


    def core(self):
        core.Core(self, table).run()


def main():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=[[], "remux", "playlist", "spool", "live", "put", "s3", "core"], help="only this (all seven)")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--clip-seconds", type=int, default=600, metavar="S", help="a multiple of 60 (600)")
    parser.add_argument("--timeout", type=float, default=60, metavar="S", help="a remux that takes longer hangs (60)")
    parser.add_argument("--streams", type=lambda t: [int(n) for n in t.split(",")], default=[1, 10, 50], metavar="N,N", help="(1,10,50)")
    parser.add_argument("--live-rounds", type=int, default=3)
    parser.add_argument("--live-seconds", type=float, default=15, metavar="S")
    parser.add_argument("--put-rounds", type=int, default=5)
    parser.add_argument("--put-large", type=int, default=200, metavar="N", help="files of 4 MB (200)")
    parser.add_argument("--put-small", type=int, default=10000, metavar="N", help="files of 20 kB (10000)")
    parser.add_argument("--put-folder", metavar="DIR", help="where the server stores files (/dev/shm)")
    parser.add_argument("--s3-rounds", type=int, default=3)
    parser.add_argument("--s3-large", type=int, default=100, metavar="N", help="files of 4 MB, at most 200 (100)")
    parser.add_argument("--s3-small", type=int, default=1000, metavar="N", help="files of 200 kB, at most 4000 (1000)")
    parser.add_argument("--row", action="append", metavar="ROW",
        help="of core only remux, instructions, live, memory, size, lists, stall or many; may be repeated")
    parser.add_argument("--core-streams", type=lambda t: [int(n) for n in t.split(",")], default=[20, 50], metavar="N,N", help="(20,50)")
    parser.add_argument("--core-memory", type=float, default=45, metavar="S", help="and twice that (45)")
    parser.add_argument("--core-many", type=int, default=200, metavar="N", help="(200)")
    parser.add_argument("--core-many-seconds", type=float, default=60, metavar="S", help="(60)")
    args = parser.parse_args()
    args.build = os.path.abspath(args.build)
    bench = Bench(args)
    for name in args.what or ["remux", "playlist", "spool", "live", "put", "s3", "core"]:
        getattr(bench, name)()


if __name__ == "__main__":
    main()
