# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A running hls-upload for tests, and what they say to it.

    with hlsupload.Upload(bucket, folder, "--spool", "spool") as upload:
        upload.put("cam/1.ts", b"bytes")
        status, headers, body = upload.ask("GET", "/live/hls-upload/cam/1.ts")
"""
import contextlib
import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import types

import rgw
import servers
import tap

PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n{}"
ENTRY = "#EXTINF:1,\n{}\n"


def bucket_nowhere():
    """As a bucket of rgw.py, on a server that is away."""
    port = servers.free_ports(1)[0]
    return types.SimpleNamespace(name="rec", user=rgw.User("", "key", "a-secret-key"),
        server=types.SimpleNamespace(endpoint=lambda: f"http://127.0.0.1:{port}"))


class Upload:
    """A running hls-upload, killed at the latest at the end of the with block."""

    def __init__(self, bucket, folder, *options, user=None, endpoint=None, ca=None, program=None):
        self.ca = ca
        self.log = os.path.join(folder, "hls-upload.log")
        command = [program or os.environ["AMS_HLS_UPLOAD"], "--listen", "127.0.0.1:0", "--bucket", bucket.name, "--endpoint",
            endpoint or bucket.server.endpoint(), "--addressing", "path", *options]
        environment = {**os.environ, **(user or bucket.user).environment(), "TMPDIR": folder}
        self.secrets = [(user or bucket.user).secret_key]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=environment,
                cwd=folder)
        found = re.fullmatch(r"listening (https?)://127\.0\.0\.1:(\d+)/?\n", self.process.stdout.readline().decode())
        if not found:
            self.kill()
            raise tap.Failed(f"it does not start: {self.said()}")
        self.scheme, self.port = found.group(1), int(found.group(2))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if self.process.poll() is None:
            self.kill()
        self.process.stdout.close()
        if error is not None:
            tap.note(self.said()[-3000:])
        for secret in self.secrets:
            tap.check(secret not in self.said(), "a secret is in its output")

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, timeout=30):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout)
        tap.check(code == 0, f"exit code {code}: {self.said()}")

    def url(self, name, app="live", user=""):
        return f"{self.scheme}://{user}127.0.0.1:{self.port}/{app}/hls-upload/{name}"

    def memory(self):
        """Bytes that it had at most so far."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) * 1024

    def connections(self):
        """Of clients, which it has not closed."""
        with open("/proc/net/tcp", encoding="ascii") as table:
            lines = [line.split() for line in table][1:]
        return sum(1 for line in lines if int(line[1].rpartition(":")[2], 16) == self.port and line[3] != "0A" and line[9] != "0")

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), 30)

    def ask(self, method, path, body=None, headers=None, timeout=30):
        """Status, headers, body; the path is sent as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        if self.scheme == "https":
            context = ssl.create_default_context(cafile=self.ca)
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=context)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def put(self, name, data, ok=(201, 204), **headers):
        status, answered, body = self.ask("PUT", f"/live/hls-upload/{name}", data,
            {key.replace("_", "-"): value for key, value in headers.items()})
        tap.check(status in ok, f"PUT {name} answers {status}, not {ok}: {body.decode()}")
        if status >= 400:
            tap.check(re.fullmatch(r"[^\n]{20,}\.\n", body.decode()), f"{status} says no sentence: {body}")
        return status, answered, body.decode()


def send_head(upload, text):
    """A connection on which the head of a request was sent."""
    connection = socket.create_connection(("127.0.0.1", upload.port), 30)
    connection.sendall((text + "\r\n").replace("\n", "\r\n").replace("\r\r", "\r").encode())
    return connection


def read_all(connection):
    data = b""
    with contextlib.suppress(ConnectionError):
        while True:
            piece = connection.recv(65536)
            if not piece:
                break
            data += piece
    connection.close()
    return data.decode()


def playlist(*names):
    return PLAYLIST.format("".join(ENTRY.format(name) for name in names)).encode()
