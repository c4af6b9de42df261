#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What hls-upload costs: while S3 is away and an event playlist grows, and for each file that a pusher sends over one connection or many.

    bench/upload.py --build build-bench [--segments 50000] [--every 500] [--folder /dev/shm]

It prints a line for each figure. "another request" is a PUT of 100 bytes under a name that nothing else has, one after the other over a connection of
its own while all else goes on; what others on the machine took of the processor from it or from the server is told apart. --every is how many segments come between two versions of the playlist.
"""
import argparse
import contextlib
import http.client
import os
import ssl
import statistics
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "common"))
import hlsupload  # noqa: E402
import servers  # noqa: E402

PREFIX = "/live/hls-upload/"


def cpu_of(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def waited_by(process="thread-self"):
    """Seconds for which it (its first thread) could run and had no processor, as others had them all."""
    with open(f"/proc/{process}/schedstat", encoding="ascii") as stat:
        return int(stat.read().split()[1]) / 1e9


def put(connection, name, body):
    connection.request("PUT", PREFIX + name, body)
    answer = connection.getresponse()
    if answer.status not in (201, 204):
        raise SystemExit(f"PUT {name} answers {answer.status}: {answer.read()}")
    answer.read()


class Other(threading.Thread):
    """Another request, over and over; it shares nothing with the pusher but the server and this interpreter."""

    def __init__(self, upload):
        super().__init__(daemon=True)
        self.port, self.server, self.times, self.own, self.ending = upload.port, upload.process.pid, [], [], threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self.ending.is_set():
            begun, waited = time.monotonic(), waited_by(self.server) + waited_by()
            put(connection, "other/x.bin", b"x" * 100)
            self.times.append(time.monotonic() - begun)
            self.own.append(self.times[-1] - (waited_by(self.server) + waited_by() - waited))
            self.ending.wait(0.01)

    def end(self):
        self.ending.set()
        self.join()


def say(what, *figures):
    print(f"{what:<60} {'  '.join(figures)}", flush=True)


def size_of(folder):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)


@contextlib.contextmanager
def measured(upload, what):
    other = Other(upload)
    spent, waited, begun = cpu_of(upload.process), waited_by(upload.process.pid), time.monotonic()
    other.start()
    yield
    other.end()
    times = other.times
    say(what, f"{time.monotonic() - begun:.1f} s", f"{cpu_of(upload.process) - spent:.1f} s of the processor",
        f"{waited_by(upload.process.pid) - waited:.1f} s without one", f"memory {upload.memory() >> 20} MiB",
        f"another request: longest {max(times) * 1000:.0f} ms ({max(other.own) * 1000:.0f} ms without what others had the processor for), median {statistics.median(times) * 1000:.1f} ms of {len(times)}")


def push(upload, first, last, every, names):
    connection = http.client.HTTPConnection("127.0.0.1", upload.port, timeout=600)
    for number in range(first, last):
        names.append(f"segment-{number:06}.ts")
        put(connection, "cam/" + names[-1], b"x" * 100)
        if (number + 1) % every == 0:
            put(connection, "cam/index.m3u8", hlsupload.playlist(*names))
    connection.close()


def bench_away(arguments, folder):
    bucket = hlsupload.bucket_nowhere()
    names = []
    with hlsupload.Upload(bucket, folder, "--spool", "spool") as upload:
        with measured(upload, f"{arguments.segments} segments while S3 is away"):
            push(upload, 0, arguments.segments, arguments.every, names)
        with measured(upload, f"20 more, and a version of {arguments.segments} entries for each"):
            push(upload, arguments.segments, arguments.segments + 20, 1, names)
        say("the spool", f"{size_of(os.path.join(folder, 'spool')) >> 20} MiB")
        upload.kill()
    begun = time.monotonic()
    with hlsupload.Upload(bucket, folder, "--spool", "spool") as upload:
        say("a restart with all of them waiting", f"{time.monotonic() - begun:.1f} s", f"memory {upload.memory() >> 20} MiB")
        with measured(upload, "then 20 more with a version each"):
            push(upload, arguments.segments + 20, arguments.segments + 40, 1, names)
        upload.kill()


def bench_connections(folder):
    """200 files over TLS."""
    certificates = servers.certificates(folder)
    pem = os.path.join(certificates, "good")
    context = ssl.create_default_context(cafile=os.path.join(certificates, "ca.pem"))
    with hlsupload.Upload(hlsupload.bucket_nowhere(), folder, "--spool", "tls", "--certificate", pem + ".pem", "--private-key", pem + ".key") as upload:
        for what, keep in (("one connection each", False), ("one connection", True)):
            spent, connection = cpu_of(upload.process), None
            for number in range(200):
                if not connection or not keep:
                    connection = http.client.HTTPSConnection("127.0.0.1", upload.port, timeout=30, context=context)
                put(connection, f"{keep}/{number}.ts", b"x" * 1000)
            say(f"200 files over TLS, {what}", f"{cpu_of(upload.process) - spent:.2f} s of the processor")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build-bench")
    parser.add_argument("--segments", type=int, default=50000)
    parser.add_argument("--every", type=int, default=500)
    parser.add_argument("--folder", default="/dev/shm")
    arguments = parser.parse_args()
    os.environ.setdefault("AMS_HLS_UPLOAD", os.path.abspath(os.path.join(arguments.build, "examples", "hls-upload", "hls-upload")))
    os.environ.update(AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/nowhere", AWS_SHARED_CREDENTIALS_FILE="/nowhere")
    with tempfile.TemporaryDirectory(prefix="amshls-bench-", dir=arguments.folder) as folder:
        bench_connections(folder)
        bench_away(arguments, folder)


if __name__ == "__main__":
    main()
