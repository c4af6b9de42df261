# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-launch-1.0 as a user types it, and what tests wait for beside it.

    with launch.Launch("videotestsrc is-live=true ! …", folder) as recorder:
        launch.wait_until(lambda: os.path.exists(path), "the playlist is there")
        recorder.stop()
"""
import concurrent.futures
import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import tap

LIVE = ("videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! ")
# As fast as it goes; {seconds} are to be filled in.
CLIP = ("videotestsrc num-buffers={frames} ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! ")


def clip(seconds):
    return CLIP.format(frames=int(seconds * 30))


def wait_until(condition, what, timeout=30, interval=0.02):
    """Returns what condition() gave at last. @what: a sentence, or a function that says it when the time has passed."""
    end = time.monotonic() + timeout
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() >= end:
            tap.check(False, f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(interval)


class Launch:
    """A process of gst-launch-1.0 -e, killed at the latest at the end of the with block. What it says is in said()."""

    def __init__(self, line, folder, *options, env=None, name="log"):
        tap.need("gst-launch-1.0")
        self.log = os.path.join(folder, name)
        self.since = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(["gst-launch-1.0", "-e", *options] + shlex.split(line), cwd=folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={**os.environ, **(env or {})})

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if self.process.poll() is None:
            self.kill()
        if error is not None and not isinstance(error, tap.Skip):
            tap.note(self.said()[-3000:])

    def said(self):
        with open(self.log, "rb") as log:
            log.seek(self.since)
            return log.read().decode("utf-8", "replace")

    def wait_for(self, text, timeout=30, times=1):
        """Waits until it has said that (a regular expression), so often."""
        def found():
            count = len(re.findall(text, self.said()))
            tap.check(count >= times or self.process.poll() is None, f"it has ended and not said “{text}”:\n{self.said()[-3000:]}")
            return count >= times
        wait_until(found, f"it says “{text}”", timeout)

    def runs(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ended(self, timeout=40):
        """Its exit code, when it has come to its end by itself."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            said = self.said()
            self.kill()
            raise tap.Failed(f"it has not ended after {timeout} s:\n{said[-3000:]}") from None

    def stop(self, timeout=40, code=0):
        """Ctrl-C: EOS, and the end."""
        self.process.send_signal(signal.SIGINT)
        found = self.ended(timeout)
        tap.check(found == code, f"exit code {found}:\n{self.said()[-3000:]}")


def run(line, folder, *options, code=0, timeout=40, env=None, name="log"):
    """One that ends by itself; returns what it said. The code None is any but 0."""
    with Launch(line, folder, *options, env=env, name=name) as launched:
        found = launched.ended(timeout)
        tap.check(found == code if code is not None else found, f"exit code {found}, not {code}:\n{launched.said()[-3000:]}")
        return launched.said()


def files_in(folder):
    """All files below a folder: path (relative, with “/”) and bytes."""
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = file.read()
    return found


def check_same(here, there, what):
    """Two of files_in() that should have the same bytes; what is hidden does not count."""
    here, there = ({name: data for name, data in files.items() if not os.path.basename(name).startswith(".")} for files in (here, there))
    names = sorted(set(here) | set(there))
    wrong = [f"{name}: {len(here[name]) if name in here else 'no'} bytes and {len(there[name]) if name in there else 'none'}"
        for name in names if here.get(name) != there.get(name)]
    tap.check(here and not wrong, f"{what}: " + ("; ".join(wrong) or "there are no files"))


def beside_each_other(tests, workers):
    """Tests that mostly wait, run at once: the same functions for tap.run_tests(), which then await their end."""
    tests = [f for name, f in tests.items() if name.startswith("test_") and callable(f)]
    wanted = [a for a in sys.argv[1:] if a.startswith("test_")]
    pool = concurrent.futures.ThreadPoolExecutor(workers)

    def awaiting(test):
        future = pool.submit(test)

        def await_it():
            return future.result()
        await_it.__name__ = test.__name__
        return await_it
    return [awaiting(t) for t in tests if not wanted or t.__name__ in wanted]
