#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What runs in the place of some commands of the documentation: standin.py COMMAND ARGUMENT…

gst-launch-1.0   the real one. A recording that would go on until Ctrl-C gets that as soon as it has begun (or has posted
                 what AMS_DOCS_UNTIL says); in the end it must have said what a good recording says, and no warning
gst-play-1.0     the real one, without a window, sound and keyboard
ffplay           the same
amshls-recorder  the real one, which gets Ctrl-C as soon as it records. Sources that are not here (srt, udp, rtmp) are a test picture
hls-upload       the real one, which goes on beside the rest of the page
a tool           a command that is only looked at: it must be there, and its --help must know the options
"""
import collections
import os
import re
import signal
import socket
import subprocess
import sys
import time

LIMIT = 120  # s
REAL = os.environ["AMS_DOCS_PATH"]
RECORDER = {"started": r'^Recording |^Continuing |"recording-started"', "connected": r' is there: |"source-connected"'}
PUT = ("amsfileput", "amshttpput", "amss3put")


def say(text):
    print(f"standin: {text}", flush=True)


class Recording:
    """One gst-launch-1.0 and what it has posted."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.endless = "-e" in arguments and not any(a.startswith("num-buffers=") for a in arguments)
        self.seen = collections.Counter()
        self.uploads = set()
        self.eos, self.errors = False, []
        until = os.environ.get("AMS_DOCS_UNTIL", "").rsplit(" ", 1)
        if len(until) == 2:
            self.until, self.times = until[0], int(until[1])
        elif self.count("amshlssink"):
            self.until, self.times = "ams-recording-started", self.count("amshlssink")
        else:
            self.until, self.times = "new-clock", 1

    def count(self, element):
        """Of elements, not of references to them by name."""
        return sum(1 for a in self.arguments if a == element)

    def is_goodbye(self):
        """The recording has come to its end, and only then the camera's connection was gone before rtspsrc closed it."""
        return self.eos and self.errors and all(self.errors)

    def heed(self, line):
        if line.startswith("EOS received"):
            self.eos = True
        elif line.startswith("ERROR: from element"):
            self.errors.append(self.eos and "GstRTSPSrc" in line)
        message = re.search(r"Got message #\d+ from \w+ \"([^\"]*)\" \((\S+)\): (?:([\w-]+))?", line)
        if not message:
            return
        self.seen[message[3] if message[2] == "element" else message[2]] += 1
        if message[3] == "ams-file-uploaded":
            self.uploads.add(message[1])

    def problems(self):
        """Of a recording that should be good."""
        if not self.endless and "amshlssink" not in self.arguments:
            return
        if self.count("amshlssink") and self.seen["ams-recording-ended"] < self.count("amshlssink"):
            yield "no ams-recording-ended was posted"
        if self.count("amshlssink") and not self.seen["hls-segment-added"]:
            yield "no segment was recorded"
        wanted = sum(self.count(e) for e in PUT)
        if len(self.uploads) < wanted:
            yield f"{wanted} elements should have delivered files, and {len(self.uploads)} have"
        if self.seen["warning"]:
            yield "there was a warning"

    def run(self):
        real = next(p for p in (os.path.join(d, "gst-launch-1.0") for d in REAL.split(":")) if os.access(p, os.X_OK))
        process = subprocess.Popen([real, "-m", *self.arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace")
        ended, begun = False, time.monotonic()
        signal.signal(signal.SIGALRM, lambda *_: process.kill())
        signal.signal(signal.SIGTERM, lambda *_: process.kill())
        signal.alarm(LIMIT)
        for line in process.stdout:
            if not line.startswith("Got message") or re.search(r"\((element|warning|error|info)\)", line):
                print(line, end="", flush=True)
            self.heed(line)
            if self.endless and not ended and self.seen[self.until] >= self.times:
                ended = True
                process.send_signal(signal.SIGINT)
        code = process.wait()
        say(f"gst-launch-1.0 has ended after {time.monotonic() - begun:.1f} s with {code}")
        if self.is_goodbye():
            say("the camera hung up after the end")
            code = 0
        if code or "AMS_DOCS_FAILS" in os.environ:
            return code if code > 0 else 1 if code else 0
        problems = list(self.problems())
        for problem in problems:
            say(problem)
        return 3 if problems else 0


def play(command, arguments):
    quiet = {"gst-play-1.0": ["--no-interactive", "--videosink=fakesink", "--audiosink=fakesink"], "ffplay": ["-autoexit", "-nodisp"]}
    os.environ.update(SDL_VIDEODRIVER="dummy", SDL_AUDIODRIVER="dummy")
    return subprocess.run([command, *quiet[command], *arguments], env={**os.environ, "PATH": REAL}, stdin=subprocess.DEVNULL,
        timeout=LIMIT, check=False).returncode


def record(arguments):
    program = os.environ["AMS_DOCS_RECORDER"]
    if {"--help", "-h", "--help-all", "--version"} & set(arguments):
        return subprocess.run([program, *arguments], check=False).returncode
    away = [a for a in arguments if re.match(r"^(srt|udp|rtmps?)://", a)]
    if away:
        say(f"a test picture in the place of {', '.join(away)}")
    process = subprocess.Popen([program, *("test://" if a in away else a for a in arguments)], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    signal.signal(signal.SIGALRM, lambda *_: process.kill())
    signal.alarm(LIMIT)
    seen = set()
    for line in process.stdout:
        print(line, end="", flush=True)
        seen |= {what for what in ("started", "connected") if re.search(RECORDER[what], line)}
        if seen == {"started", "connected"}:
            process.send_signal(signal.SIGINT)
            seen.add("interrupted")
    return abs(process.wait())


def serve(arguments):
    """Goes on when it listens; who began the page ends it by the number in the file daemons."""
    program, state = os.environ["AMS_DOCS_HLS_UPLOAD"], os.environ["AMS_DOCS_STATE"]
    if {"--help", "-h", "--version"} & set(arguments):
        return subprocess.run([program, *arguments], check=False).returncode
    port = re.findall(r"(?:-l|--listen)[ =]\S*:(\d+)", " ".join(arguments))[-1]
    with open(os.path.join(state, "hls-upload.log"), "ab") as log:
        process = subprocess.Popen([program, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    with open(os.path.join(state, "daemons"), "a", encoding="utf-8") as file:
        print(process.pid, file=file)
    end = time.monotonic() + LIMIT
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", int(port)), 1).close()
            say(f"hls-upload listens at {port}")
            return 0
        except OSError:
            time.sleep(0.02)
    with open(log.name, encoding="utf-8", errors="replace") as file:
        say(f"hls-upload does not listen at {port}:\n{file.read()}")
    return 3


def look_at(tool, arguments):
    """One of ours that would build or install: it is there, and its --help names the options."""
    done = subprocess.run([tool, "--help"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PATH": REAL}, timeout=LIMIT, check=False)
    unknown = [a for a in arguments if a.startswith("-") and a.partition("=")[0] not in done.stdout]
    if done.returncode or unknown:
        say(f"{tool} --help ends with {done.returncode} and does not name {' '.join(unknown)}\n{done.stdout[:500]}")
        return 3
    say(f"only looked at: {tool} {' '.join(arguments)}")
    return 0


def main():
    command, arguments = sys.argv[1], sys.argv[2:]
    if command == "gst-launch-1.0":
        return Recording(arguments).run()
    if command in ("gst-play-1.0", "ffplay"):
        return play(command, arguments)
    if command == "amshls-recorder":
        return record(arguments)
    if command == "hls-upload":
        return serve(arguments)
    return look_at(command, arguments)


if __name__ == "__main__":
    sys.exit(main())
