#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Serves the player page and the recordings below a folder, on loopback unless told otherwise.

  /                  the page
  /recordings.json   the playlists below the folder
  /files/PATH        a file of the folder; byte ranges, no caching without asking

Nothing hidden (a name that begins with a dot: journals, segments that are not whole) is listed or served, and nothing outside the folder.
"""
import argparse
import email.utils
import http.server
import ipaddress
import json
import os
import re
import socket
import stat
import sys
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = {"/": "index.html", **{"/" + name: name for name in ("index.html", "player.js", "timeline.js", "recording.js", "player.css")}}
TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".ts": "video/mp2t",
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".aac": "audio/aac",
    ".vtt": "text/vtt; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
CHUNK = 1 << 16


def content_type(path):
    return TYPES.get(os.path.splitext(path)[1].lower(), "application/octet-stream")


def find_hls():
    """hls.js beside the page, where it is installed; else where npm puts it, here or where AMS_HLS_JS says."""
    beside = os.path.join(HERE, "hls.min.js")
    modules = os.path.join(HERE, "node_modules", "hls.js", "dist", "hls.min.js")
    return next((path for path in (beside, modules) if os.path.exists(path)), os.environ.get("AMS_HLS_JS", modules))


def resolve(root, path):
    """The file below root that a decoded URL path names, or None: nothing hidden, nothing outside, links neither."""
    parts = path.split("/")
    if not path or "\0" in path or "\\" in path or any(p == "" or p.startswith(".") for p in parts):
        return None
    found = os.path.realpath(os.path.join(root, *parts))
    return found if found.startswith(os.path.join(os.path.realpath(root), "")) else None


def parse_range(text, size):
    """(first, last) of a Range header; None: all of it; False: nothing of it is there. More than one range: all."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", text.strip()) if text else None
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first == "":
        return (max(0, size - int(last)), size - 1) if int(last) and size else False
    first, last = int(first), min(int(last), size - 1) if last else size - 1
    if found.group(2) and int(found.group(2)) < first:
        return None
    return (first, last) if first < size else False


def by_name(name):
    """A key to sort names as people do: cam2 comes before cam10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name.casefold())], name


class Listing:
    """The playlists below a folder. A look at a folder with many files takes a while, so it is not taken at each request."""

    def __init__(self, root):
        self.root = root
        self.lock = threading.Lock()
        self.found = []
        self.until = 0

    def entry(self, path):
        """What the page needs to know of a playlist; None where it is none."""
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            head = file.read(4096)
            file.seek(max(0, status.st_size - 8192))
            tail = file.read(8192)
        if not head.startswith(b"#EXTM3U"):
            return None
        name = os.path.relpath(path, self.root)
        target = re.search(rb"^#EXT-X-TARGETDURATION:(\d{1,6})", head, re.M)
        return {
            "name": name[:-len(".m3u8")],
            "src": "files/" + urllib.parse.quote(name),
            "modified": status.st_mtime,
            "ended": b"#EXT-X-ENDLIST" in tail or b"#EXT-X-STREAM-INF" in head,
            "target": int(target.group(1)) if target else 10,
        }

    def look(self):
        entries = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if not f.startswith(".")]
            for name in names:
                if name.startswith(".") or not name.endswith(".m3u8"):
                    continue
                path = os.path.join(folder, name)
                try:
                    entry = self.entry(path) if resolve(self.root, os.path.relpath(path, self.root)) else None
                except OSError:
                    entry = None
                if entry:
                    entries.append(entry)
        return sorted(entries, key=lambda e: by_name(e["name"]))

    def get(self):
        with self.lock:
            begun = time.monotonic()
            if begun >= self.until:
                self.found = self.look()
                took = time.monotonic() - begun
                self.until = time.monotonic() + 10 * took
            return {"now": time.time(), "recordings": self.found}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "amshls-player"
    sys_version = ""
    timeout = 60

    def log_message(self, *args):
        pass

    def answer(self, code, headers, body=b""):
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def say(self, code, sentence):
        self.answer(code, {"Content-Type": "text/plain; charset=utf-8"}, (sentence + "\n").encode())

    def send_file(self, path):
        """One look at the size: a playlist may grow while it is sent, and what was said of its length must hold."""
        try:
            file = open(path, "rb")
        except OSError:
            self.say(404, "There is no such file.")
            return
        with file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                self.say(404, "There is no such file.")
                return
            size = status.st_size
            tag = f'"{status.st_mtime_ns:x}-{size:x}"'
            headers = {"Content-Type": content_type(path), "ETag": tag, "Accept-Ranges": "bytes",
                "Last-Modified": email.utils.formatdate(status.st_mtime, usegmt=True)}
            if tag in self.headers.get("If-None-Match", ""):
                self.answer(304, headers)
                return
            wanted = parse_range(self.headers.get("Range"), size) if self.headers.get("If-Range", tag) == tag else None
            if wanted is False:
                self.answer(416, {"Content-Range": f"bytes */{size}"})
                return
            first, last = wanted or (0, size - 1)
            if wanted:
                headers["Content-Range"] = f"bytes {first}-{last}/{size}"
            self.send_bytes(206 if wanted else 200, headers, file, first, last + 1 - first)

    def send_bytes(self, code, headers, file, first, length):
        self.send_response(code)
        for name, value in {"Content-Length": str(length), "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        file.seek(first)
        while length > 0:
            data = file.read(min(CHUNK, length))
            if not data:  # it was cut short meanwhile: the reader must not take it for whole
                self.close_connection = True
                return
            self.wfile.write(data)
            length -= len(data)

    def host_is_ours(self):
        """A page of elsewhere whose name was made to point at 127.0.0.1 (DNS rebinding) must not read recordings."""
        if not self.server.loopback:
            return True
        host = urllib.parse.urlsplit("//" + self.headers.get("Host", "")).hostname or ""
        return host == "localhost" or host == "::1" or host.startswith("127.")

    def do_GET(self):
        if not self.host_is_ours():
            self.say(403, "This server answers to the name localhost only; start it with --bind ADDRESS for others.")
            return
        try:
            path = urllib.parse.unquote(self.path.split("?")[0], errors="strict")
        except UnicodeDecodeError:
            self.say(404, "There is no such file.")
            return
        if path in PAGE:
            self.send_file(os.path.join(HERE, PAGE[path]))
        elif path == "/hls.min.js":
            self.send_file(self.server.hls)
        elif path == "/recordings.json":
            self.answer(200, {"Content-Type": "application/json"}, json.dumps(self.server.listing.get()).encode())
        else:
            found = resolve(self.server.root, path[len("/files/"):]) if path.startswith("/files/") else None
            if found:
                self.send_file(found)
            else:
                self.say(404, "There is no such file.")

    do_HEAD = do_GET


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, root, bind="127.0.0.1", port=0, hls=None):
        self.root = os.path.abspath(root)
        self.hls = hls or find_hls()
        self.listing = Listing(self.root)
        self.loopback = bind == "localhost" or ipaddress.ip_address(bind).is_loopback
        if ":" in bind:
            self.address_family = socket.AF_INET6
        super().__init__((bind, port), Handler)

    def url(self):
        host, port = self.server_address[:2]
        return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description="Serves the player page and the recordings below a folder.")
    parser.add_argument("folder", nargs="?", default=".", help="where the recordings are (the current folder)")
    parser.add_argument("--port", type=int, default=0, help="which port (one that is free)")
    parser.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS",
        help="at which address (127.0.0.1); at others, everybody who reaches it can watch")
    parser.add_argument("--hls", metavar="FILE", help="where hls.min.js is (beside this file, or in node_modules there)")
    args = parser.parse_args()
    if not os.path.isdir(args.folder):
        sys.exit(f"There is no folder {args.folder}.")
    try:
        server = Server(args.folder, args.bind, args.port, args.hls)
    except ValueError:
        sys.exit(f"--bind takes an IP address, not {args.bind}.")
    except OSError as error:
        sys.exit(f"Port {args.port} of {args.bind} cannot be had ({error.strerror}); choose another with --port.")
    if not os.path.exists(server.hls):
        sys.exit(f"hls.js is not at {server.hls}; run npm ci in {HERE}, or say with --hls where hls.min.js is.")
    print(server.url(), flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
