# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The fault server (fault-server.c) for tests in Python.

    with faultserver.FaultServer() as server:
        server.rule(method="PUT", path="*.ts", count=2, status=503, headers="Retry-After: 1")
        …
        tap.check(server.problems() is None, server.problems())
"""
import base64
import json
import os
import queue
import shlex
import subprocess
import threading

import tap

TIMEOUT = 30  # s for an answer or an event: more than any test needs


def word(value):
    if value is True or value is False:
        return "yes" if value else "no"
    return str(value).replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


class FaultServer:
    """Keyword arguments are the program's options: FaultServer(tls="good", missing_folder=409)."""

    def __init__(self, **options):
        program = os.environ.get("AMS_FAULT_SERVER")
        if not program:
            raise tap.Skip("AMS_FAULT_SERVER does not say where the built fault-server is")
        arguments = []
        for name, value in options.items():
            name = "--" + name.replace("_", "-")
            arguments += [name] if value is True else [f"{name}={value}"]
        self.scheme = "https" if options.get("tls", "none") != "none" else "http"
        self.address = options.get("address", "127.0.0.1")
        self.answers = queue.Queue()
        self.requests = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen([program] + arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = json.loads(self.process.stdout.readline() or "{}").get("port")
        if self.port is None:
            self.process.wait()
            raise tap.Failed("the fault server did not start")
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise tap.Failed("the fault server did not end") from None
        self.reader.join()
        self.process.stdout.close()

    def read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            if "event" in said:
                with self.changed:
                    self.requests.append(said)
                    self.changed.notify_all()
            else:
                self.answers.put(said)
        self.answers.put({"error": "the fault server has ended"})

    def url(self, path="/"):
        return f"{self.scheme}://{self.address}:{self.port}{path}"

    def command(self, *words):
        """Says a command and returns the answer, a text or None."""
        self.process.stdin.write((" ".join(shlex.quote(w) for w in words) + "\n").encode())
        self.process.stdin.flush()
        try:
            said = self.answers.get(timeout=TIMEOUT)
        except queue.Empty:
            raise tap.Failed(f"the fault server does not answer to “{words[0]}”") from None
        if "error" in said:
            raise tap.Failed(said["error"])
        return said["answer"]

    def rule(self, **fields):
        """As AmsFaultRule."""
        self.command("rule", *(f"{name}={word(value)}" for name, value in fields.items()))

    def get(self, name):
        """An object's bytes; None: it is not there."""
        text = self.command("get", name)
        return None if text is None else base64.b64decode(text)

    def names(self):
        return [name for name in self.command("names").split("\n") if name]

    def problems(self):
        return self.command("problems")

    def wait(self, wanted, n=1, timeout=TIMEOUT):
        """Waits until n requests have ended of which wanted(request) is true, and returns the n-th."""
        def found():
            fit = [r for r in self.requests if wanted(r)]
            return fit[n - 1] if len(fit) >= n else None
        with self.changed:
            if not self.changed.wait_for(found, timeout):
                raise tap.Failed(f"request {n} did not come within {timeout} s; there were {len(self.requests)} others")
            return found()
