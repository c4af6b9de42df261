#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""hls-upload and its clients' connections, and what it keeps while S3 is away: nothing here needs a store."""
import contextlib
import http.client
import os
import random
import re
import socket
import ssl
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import hlsupload  # noqa: E402
import launch  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402
from hlsupload import ENTRY, PLAYLIST, Upload, playlist, read_all  # noqa: E402

PREFIX = "/live/hls-upload/"


@contextlib.contextmanager
def upload_to_spool(*options, **more):
    with tap.folder() as folder:
        with Upload(hlsupload.bucket_nowhere(), folder, "--spool", "spool", *options, **more) as upload:
            upload.folder = folder
            yield upload


def request(method, name, body=None, *headers):
    """As it goes over the wire."""
    lines = [f"{method} {PREFIX}{name} HTTP/1.1", "Host: x", *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")


class Unclosed:
    """A file that stays open when an answer has been read from it."""

    def __init__(self, file):
        self.file = file

    def close(self):
        pass

    def __getattr__(self, name):
        return getattr(self.file, name)


class Answers:
    """What comes over one connection, an answer after the other."""

    def __init__(self, connection):
        self.file = connection.makefile("rb")

    def makefile(self, _):
        return Unclosed(self.file)

    def next(self, method="PUT"):
        """Status, headers and body."""
        answer = http.client.HTTPResponse(self, method=method)
        answer.begin()
        return answer.status, answer.headers, answer.read()

    def at_end(self):
        return self.file.read(1) == b""


# Persistent connections


MIX = (("PUT", "1.ts", b"one", 201), ("GET", "1.ts", None, 200), ("HEAD", "1.ts", None, 200), ("PUT", "a.m3u8", playlist("1.ts"), 201),
    ("PUT", "a.m3u8", playlist("1.ts"), 204), ("OPTIONS", "1.ts", None, 405), ("GET", "x%2fy", None, 400), ("DELETE", "2.ts", None, 204),
    ("PUT", "2.ts", b"", 400), ("POST", "1.ts", None, 405), ("PUT", "3.ts", b"three", 201), ("GET", "3.ts", None, 200))


def check_mix(answers, method, name, wanted, body):
    status, headers, said = answers.next(method)
    tap.check(status == wanted, f"{method} {name} answers {status}: {said}")
    tap.check(headers["Connection"] is None, f"{method} {name} answers Connection: {headers['Connection']}")
    if method == "GET" and status == 200:
        tap.check(said == body, f"GET {name} answers {said}")


def test_every_method_leaves_the_connection_open():
    bodies = {name: body for method, name, body, _ in MIX if method == "PUT"}
    with upload_to_spool() as upload, upload.connect() as connection:
        answers = Answers(connection)
        for method, name, body, wanted in MIX:
            connection.sendall(request(method, name, body))
            check_mix(answers, method, name, wanted, bodies.get(name))
        # And all at once.
        upload.ask("DELETE", PREFIX + "1.ts")
        connection.sendall(b"".join(request(method, "p/" + name, body) for method, name, body, _ in MIX if method != "OPTIONS"))
        for method, name, _, wanted in MIX:
            if method != "OPTIONS":
                check_mix(answers, method, name, wanted, bodies.get(name))


def test_200_files_go_over_one_tls_connection():
    certificates = servers.certificates(None)
    pem = os.path.join(certificates, "good")
    with upload_to_spool("--certificate", pem + ".pem", "--private-key", pem + ".key", ca=os.path.join(certificates, "ca.pem")) as upload:
        context = ssl.create_default_context(cafile=upload.ca)
        connection = http.client.HTTPSConnection("127.0.0.1", upload.port, timeout=30, context=context)
        connection.connect()
        connection.auto_open = False
        bodies = [random.randbytes(random.randrange(1, 100000)) for _ in range(200)]
        for number, body in enumerate(bodies):
            connection.request("PUT", f"{PREFIX}{number}.ts", body)
            answer = connection.getresponse()
            tap.check((answer.status, answer.read()) == (201, b""), f"{number} answers {answer.status}")
        for number, body in enumerate(bodies):
            connection.request("GET", f"{PREFIX}{number}.ts")
            tap.check(connection.getresponse().read() == body, f"{number} has other bytes")
        tap.check(upload.connections() == 1, f"{upload.connections()} connections")
        connection.close()


def test_ends_of_connections_are_seen_between_requests():
    with upload_to_spool() as upload:
        for number in range(50):
            with upload.connect() as connection:
                connection.sendall(request("PUT", f"{number}.ts", b"x"))
                tap.check(Answers(connection).next()[0] == 201, "PUT")
                if number % 2:
                    connection.sendall(b"PUT /half")
        launch.wait_until(lambda: upload.connections() == 0, "connections that have ended are closed")
        # One that says that it has no more is answered, and closed.
        with upload.connect() as connection:
            connection.sendall(request("PUT", "last.ts", b"x"))
            connection.shutdown(socket.SHUT_WR)
            answers = Answers(connection)
            tap.check(answers.next()[0] == 201 and answers.at_end(), "its last")


def test_idle_connections_end():
    with upload_to_spool("--timeout", "1") as upload:
        with upload.connect() as silent, upload.connect() as half, upload.connect() as used, upload.connect() as again:
            half.sendall(b"PUT /live/hls-upl")
            for connection in (used, again):
                connection.sendall(request("PUT", "1.ts", b"x"))
                answers = Answers(connection)
                tap.check(answers.next()[0] == 201, "PUT")
            again.sendall(b"PUT /live")
            for connection in (silent, half, used, again):
                tap.check(connection.recv(1) == b"", "it says something at its end")
        tap.check(upload.put("1.ts", b"x")[0] == 201, "PUT afterwards")


def test_end_says_so_to_who_keeps_his_connection():
    with upload_to_spool() as upload, upload.connect() as busy, upload.connect() as idle:
        idle.sendall(request("PUT", "1.ts", b"x"))
        tap.check(Answers(idle).next()[0] == 201, "PUT")
        busy.sendall(request("PUT", "2.ts", b"0123456789")[:-5])
        launch.wait_until(lambda: upload.ask("GET", PREFIX + "1.ts")[0] == 200, "both have come")
        upload.process.terminate()
        tap.check(idle.recv(1) == b"", "what is idle is closed")
        try:
            upload.connect()
            raise tap.Failed("it takes connections still")
        except ConnectionError:
            pass
        busy.sendall(b"56789")
        status, headers, _ = Answers(busy).next()
        tap.check(status == 201 and headers["Connection"] == "close", f"{status}, {headers}")
        tap.check(upload.process.wait(30) == 0, "its end")


# Where a request ends


CONTRADICTIONS = ("Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 50", "Content-Length: 5\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nContent-Length: 5", "Content-Length: 5, 5", "Content-Length: +5", "Content-Length: 0x5", "Content-Length: ",
    "Content-Length: -5", "Content-Length: 5\r\n 0", "Content-Length: 99999999999999999999", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: xchunked", "Content-Length : 5", "Content-Length\t: 5", "X: y")


def test_lengths_that_contradict_each_other_are_refused():
    smuggled = request("PUT", "smuggled.ts", b"x")
    with upload_to_spool() as upload:
        for method in ("PUT", "GET", "DELETE"):
            for lines in CONTRADICTIONS:
                if method != "PUT" and (" :" in lines or "\t:" in lines or lines == "X: y"):
                    continue  # these say nothing of a body
                with upload.connect() as connection:
                    connection.sendall(request(method, "1.ts", None, lines) + smuggled)
                    said = read_all(connection)
                tap.check(re.match(r"HTTP/1\.1 (400|411|413|501) ", said), f"{method} with {lines!r} answers {said}")
                tap.check(said.count("HTTP/1.1 ") == 1, f"{method} with {lines!r} is more than one request: {said}")
        tap.check(upload.ask("GET", PREFIX + "smuggled.ts")[0] == 503, "what came after it was taken")
        with upload.connect() as connection:
            connection.sendall(request("GET", "1.ts", b"", "Transfer-Encoding: chunked"))
            tap.check(read_all(connection).startswith("HTTP/1.1 400 "), "a GET without a body and two lengths")


def test_body_of_what_is_refused_is_not_the_next_request():
    smuggled = request("PUT", "smuggled.ts", b"x")
    with upload_to_spool("--max-size", "1K") as upload:
        for refused in (request("PUT", "large.ts", smuggled * 1000), request("PUT", "../x.ts", smuggled * 1000), request("POST", "1.ts", smuggled * 3),
                request("PUT", "1.ts", smuggled, "If-Match: x"), request("PUT", "2.ts", None, "Transfer-Encoding: chunked") +
                b"800\r\n" + b"x" * 2048 + b"\r\n" + smuggled + b"0\r\n\r\n"):
            with upload.connect() as connection:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(refused + smuggled)
                said = read_all(connection)
            tap.check(re.match(r"HTTP/1\.1 4|HTTP/1\.1 501", said) and said.count("HTTP/1.1 ") == 1, said)
        tap.check(upload.ask("GET", PREFIX + "smuggled.ts")[0] == 503, "it was taken")


def test_heads_that_are_huge_are_refused():
    with upload_to_spool() as upload:
        for lines in (["X: " + "x" * 1000000], [f"X{number}: y" for number in range(100000)], ["Authorization: Basic " + "x" * 100000]):
            with upload.connect() as connection:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(request("PUT", "1.ts", b"x", *lines))
                said = read_all(connection)
            tap.check(said == "" or said.startswith("HTTP/1.1 4"), said)
        launch.wait_until(lambda: upload.connections() == 0, "they are closed")
        tap.check(upload.memory() < 64 * 1024 * 1024, f"{upload.memory()} bytes")
        upload.put("1.ts", b"x")


# How many


def begin_file(upload, name):
    """A connection with a file that is not whole."""
    connection = upload.connect()
    connection.sendall(request("PUT", name, b"xy", "Expect: 100-continue")[:-2])
    return connection


def is_taken(connection):
    return connection.recv(12) == b"HTTP/1.1 100"


def end_file(connection):
    connection.recv(1000)
    connection.sendall(b"xy")
    return Answers(connection).next()[0]


def test_connections_are_capped():
    with upload_to_spool("--max-connections", "4") as upload:
        # Those that are idle make room, the one that has been so for longest first.
        idle = [upload.connect() for _ in range(4)]
        for connection in idle[1:]:
            connection.sendall(request("PUT", "1.ts", b"x"))
            tap.check(Answers(connection).next()[0] == 201, "PUT")
        upload.put("2.ts", b"x")
        tap.check(idle[0].recv(1) == b"", "the first is not closed")
        tap.check(upload.said().count("No more connections") == 0, upload.said())
        busy = [begin_file(upload, f"busy{number}.ts") for number in range(4)]
        tap.check(all(is_taken(connection) for connection in busy), "files that are not whole")
        tap.check(all(connection.recv(1) == b"" for connection in idle[1:]), "idle ones are not closed")
        # No one is idle: it has to wait.
        waiting = [begin_file(upload, f"waiting{number}.ts") for number in range(3)]
        launch.wait_until(lambda: "No more connections" in upload.said(), "it is said")
        # Who is answered, and would keep his connection, makes room for it.
        for number, connection in enumerate(busy):
            tap.check(end_file(connection) == 201, f"busy {number}")
        for connection in waiting:
            tap.check(is_taken(connection) and end_file(connection) == 201, "what waited")
        for connection in busy + waiting + idle:
            connection.close()
        launch.wait_until(lambda: "taken again" in upload.said(), "that it is over is said")
        tap.check(upload.said().count("No more connections") == 1, upload.said())


def test_limit_of_open_files_is_heeded():
    with tap.folder() as folder:
        wrapped = os.path.join(folder, "limited")
        servers.write(wrapped, f"#!/bin/sh\nulimit -n 64\nexec {os.environ['AMS_HLS_UPLOAD']} \"$@\"\n")
        os.chmod(wrapped, 0o755)
        with Upload(hlsupload.bucket_nowhere(), folder, "--spool", "spool", program=wrapped) as upload:
            count = int(re.search(r"Only (\d+) connections are taken at once, not 512", upload.said()).group(1))
            busy = [begin_file(upload, f"{number}.ts") for number in range(count)]
            tap.check(all(is_taken(connection) for connection in busy), "as many as it says")
            waiting = [upload.connect() for _ in range(50)]
            tap.check(all(end_file(connection) == 201 for connection in busy), "and all are stored")
            for connection in busy + waiting:
                connection.close()
            upload.put("last.ts", b"x")


# What playlists cost


def test_playlist_of_16_mib_costs_no_memory():
    with tap.folder() as folder:
        lines = []
        size = len(PLAYLIST)
        while size < 16 * 1024 * 1024 - 100:
            lines.append(ENTRY.format(f"{len(lines)}.ts"))
            size += len(lines[-1])
        with Upload(hlsupload.bucket_nowhere(), folder, "--spool", "spool") as upload:
            upload.put("0.ts", b"x")
            upload.put("a.m3u8", PLAYLIST.format("".join(lines)).encode())
            upload.put("a.m3u8", b"#EXTM3U\n" + b"x" * 70000, ok=(400,))
            upload.put("a.m3u8", b"#EXTM3U\n" + b"x\n" * (8 * 1024 * 1024), ok=(413,))
            tap.check(upload.memory() <= 40 * 1024 * 1024, f"{upload.memory()} bytes for a playlist of {len(lines)} entries")


def test_range_behind_the_end_is_refused():
    with upload_to_spool() as upload:
        upload.put("1.ts", b"0123456789")
        for asked, wanted in (("5-", b"56789"), ("0-0", b"0"), ("-3", b"789"), ("9-20", b"9"), ("-20", b"0123456789")):
            status, headers, body = upload.ask("GET", PREFIX + "1.ts", headers={"Range": f"bytes={asked}"})
            tap.check(status == 206 and body == wanted, f"{asked}: {status}, {headers}, {body}")
        for asked in ("10-", "10-20", "100-200", "99999999999999999999-", "-0"):
            status, headers, body = upload.ask("GET", PREFIX + "1.ts", headers={"Range": f"bytes={asked}"})
            tap.check(status == 416 and headers["Content-Range"] == "bytes */10", f"{asked}: {status}, {headers}, {body}")
            tap.check(b"10 bytes" in body, body)
        for asked in ("bytes=x", "bytes=5-2", "lines=1-2", "bytes"):
            status, headers, body = upload.ask("GET", PREFIX + "1.ts", headers={"Range": asked})
            tap.check(status == 200 and body == b"0123456789", f"{asked}: {status}, {headers}")


def spooled(folder):
    """Files in the spool, and their bytes, without the journal and the lock."""
    files = {name: data for name, data in launch.files_in(os.path.join(folder, "spool")).items() if re.search(r"/\d+$", name)}
    return len(files), sum(len(data) for data in files.values())


def check_spool(folder, segments):
    files, size = spooled(folder)
    tap.check(files <= segments + 3 + 32, f"{files} files in the spool for {segments} segments")
    tap.check(size < segments * 10 + 4 * len(playlist(*(f"{n}.ts" for n in range(segments)))) + 32 * 20, f"{size} bytes in the spool")


def test_versions_that_wait_give_way():
    """What is kept grows with the segments, not with their square; also over a restart."""
    with tap.folder() as folder:
        bucket = hlsupload.bucket_nowhere()
        names = []
        for _ in range(2):
            with Upload(bucket, folder, "--spool", "spool") as upload:
                connection = http.client.HTTPConnection("127.0.0.1", upload.port, timeout=30)
                for _ in range(150):
                    names.append(f"{len(names)}.ts")
                    for name, body in ((names[-1], b"0123456789"), ("a.m3u8", playlist(*names))):
                        connection.request("PUT", PREFIX + name, body)
                        answer = connection.getresponse()
                        tap.check(answer.status in (201, 204) and answer.read() == b"", f"{name} answers {answer.status}")
                check_spool(folder, len(names))
                tap.check(upload.ask("GET", PREFIX + "a.m3u8")[2] == playlist(*names), "the newest is not served")
                connection.close()
                upload.kill()


def main():
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/nowhere", AWS_SHARED_CREDENTIALS_FILE="/nowhere")
    return tap.run_tests(launch.beside_each_other(globals(), 4))


if __name__ == "__main__":
    sys.exit(main())
