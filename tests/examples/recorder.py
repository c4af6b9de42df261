# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""amshls-recorder for tests, with --json.

    with recorder.Recorder(["test://", "--to", "rec"], folder) as r:
        r.wait_for("segment", 2)
        r.stop()
"""
import json
import os
import signal
import subprocess

import launch
import tap


def program():
    path = os.environ.get("AMS_RECORDER")
    if not path:
        raise tap.Skip("AMS_RECORDER does not say where the built amshls-recorder is")
    return path


def without_plugins(folder, *names):
    """The environment of a machine where these of GStreamer's plugins are not installed."""
    there = os.environ.get("GST_PLUGIN_SYSTEM_PATH_1_0") or tap.run(["pkg-config", "--variable=pluginsdir", "gstreamer-1.0"]).strip()
    plugins = os.path.join(folder, "plugins")
    os.mkdir(plugins)
    for name in os.listdir(there):
        if name.startswith("libgst") and name.endswith(".so") and name[len("libgst"):-len(".so")] not in names:
            os.symlink(os.path.join(there, name), os.path.join(plugins, name))
    registry = os.path.join(folder, "registry.bin")
    env = {"GST_PLUGIN_SYSTEM_PATH_1_0": plugins, "GST_PLUGIN_SYSTEM_PATH": plugins, "GST_REGISTRY": registry, "GST_REGISTRY_1_0": registry,
        "GST_REGISTRY_UPDATE": "yes"}
    # What the plugins leak when they are looked at is not looked for.
    subprocess.run([program(), "--version"], stdout=subprocess.DEVNULL, check=True, timeout=120,
        env={**os.environ, **env, "ASAN_OPTIONS": "detect_leaks=0", "TSAN_OPTIONS": "report_bugs=0"})
    return {**env, "GST_REGISTRY_UPDATE": "no"}


class Recorder:
    """Killed at the latest at the end of the with block."""

    def __init__(self, arguments, folder, env=None, name="events"):
        self.out, self.err = (os.path.join(folder, f"{name}.{what}") for what in ("json", "log"))
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen([program(), "--json", "--progress=1", "--name=cam1", "--target-duration=1",
                "--spool-dir=spool", *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env={**os.environ, **(env or {})})

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if error is not None and not isinstance(error, tap.Skip):
            tap.note(self.said()[-4000:])

    def text(self):
        with open(self.out, encoding="utf-8") as file:
            return file.read()

    def said(self):
        with open(self.err, encoding="utf-8", errors="replace") as file:
            return self.text() + file.read()

    def events(self, name=None):
        """The whole lines."""
        found = [json.loads(line) for line in self.text().splitlines(keepends=True) if line.endswith("\n")]
        return [e for e in found if name in (None, e["event"])]

    def wait_for(self, name, count=1, wanted=lambda event: True, timeout=30):
        """Waits until it has said that so often, and returns the last one."""
        def found():
            fit = [e for e in self.events(name) if wanted(e)]
            tap.check(len(fit) >= count or self.process.poll() is None, f"it has ended without “{name}”:\n{self.said()[-3000:]}")
            return fit[count - 1] if len(fit) >= count else None
        return launch.wait_until(found, f"it says “{name}” {count} times", timeout, 0.05)

    def segments(self):
        return len(self.events("segment"))

    def wait_for_more(self, count, timeout=30):
        """So many more segments than there are now."""
        return self.wait_for("segment", self.segments() + count, timeout=timeout)

    def tell(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def ended(self, code=0, timeout=40):
        try:
            found = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise tap.Failed(f"it has not ended after {timeout} s:\n{self.said()[-3000:]}") from None
        tap.check(found == code, f"exit code {found}, not {code}:\n{self.said()[-3000:]}")

    def stop(self, number=signal.SIGTERM, timeout=40):
        self.tell(number)
        self.ended(timeout=timeout)
