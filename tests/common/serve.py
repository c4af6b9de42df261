#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A folder over HTTP on loopback, with the MIME types of HLS: serve.py FOLDER [PORT]

Prints its URL and serves until it is ended. tools/demo and the playback tests use it.
"""
import http.server
import os
import sys

TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".ts": "video/mp2t",
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".js": "text/javascript",
    ".html": "text/html; charset=utf-8",
}


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pages = {}  # path → (type, bytes), beside the folder
    posted = None  # function (path, bytes)
    requests = None  # list of (path, status), if wanted

    def guess_type(self, path):
        return TYPES.get(os.path.splitext(path)[1].lower()) or super().guess_type(path)

    def end_headers(self):
        if self.path.split("?")[0].endswith(".m3u8"):
            self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def answer(self, content_type, body):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        page = self.pages.get(self.path.split("?")[0])
        if page:
            self.answer(*page)
        else:
            super().do_GET()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.posted:
            type(self).posted(self.path, body)
        self.answer("text/plain", b"")

    def log_request(self, code="-", size="-"):
        if self.requests is not None:
            self.requests.append((self.path, int(code)))

    def log_message(self, *args):
        pass


def server(folder, port=0, pages=None, posted=None, requests=None):
    """A server that is not running yet: serve_forever(), server_address[1] is its port."""
    attributes = {"pages": pages or {}, "posted": staticmethod(posted) if posted else None, "requests": requests}
    handler = type("FolderHandler", (Handler,), attributes)
    made = http.server.ThreadingHTTPServer(("127.0.0.1", port), lambda *a: handler(*a, directory=folder))
    made.daemon_threads = True
    return made


if __name__ == "__main__":
    with server(sys.argv[1] if len(sys.argv) > 1 else ".", int(sys.argv[2]) if len(sys.argv) > 2 else 0) as running:
        print(f"http://127.0.0.1:{running.server_address[1]}/", flush=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            pass
