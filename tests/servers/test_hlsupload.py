#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""hls-upload between real pushers (ffmpeg, amshttpput) and Ceph's RADOS Gateway, while the store, it itself and its clients fail."""
import base64
import contextlib
import functools
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import launch  # noqa: E402
from hlsupload import ENTRY, PLAYLIST, Upload, playlist, read_all, send_head  # noqa: E402
import rgw  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402

NAMES = iter(f"up{number}" for number in range(1, 1000))  # of users and buckets


class Shared:
    """One cluster for all tests, and one gateway for those that do not kill theirs."""

    def __init__(self, folder):
        self.folder = folder

    @functools.cached_property
    def ceph(self):
        ceph = rgw.Ceph(self.folder)
        ceph.start()
        return ceph

    @functools.cached_property
    def gateway(self):
        gateway = rgw.Rgw(self.ceph)
        gateway.start()
        return gateway

    def end(self):
        if "gateway" in self.__dict__:
            self.gateway.kill()
        if "ceph" in self.__dict__:
            self.ceph.kill()


def new_bucket(server):
    name = next(NAMES)
    return server.bucket(name, server.ceph.user(name))


# Pushers


FFMPEG = ("ffmpeg -hide_banner -loglevel error -re -f lavfi -i testsrc=size=160x120:rate=25 -t 4 -c:v libx264 -preset ultrafast -g 25 "
    "-fflags +bitexact -flags +bitexact -map_metadata -1 ").split()


def test_ffmpeg_pushes_what_it_writes_to_disk():
    tap.need("ffmpeg")
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        disk = os.path.join(folder, "disk")
        os.mkdir(disk)
        clip = os.path.join(folder, "clip.mp4")
        tap.run([argument for argument in FFMPEG if argument != "-re"] + [clip])
        hls = "-c copy -f hls -hls_time 1 -hls_list_size 0 -hls_segment_type {} ".split()
        with Upload(bucket, folder, "--key-prefix", "rec/") as upload:
            for kind in ("mpegts", "fmp4"):
                options = [option.format(kind) for option in hls]
                for persistent in ("0", "1"):
                    name = f"{kind}{persistent}"
                    push = ["-method", "PUT", "-http_persistent", persistent, upload.url(f"{name}/index.m3u8")]
                    tap.run(["ffmpeg", "-hide_banner", "-loglevel", "error", "-re", "-i", clip, *options, *push])
                    os.mkdir(os.path.join(disk, name))
                    tap.run(["ffmpeg", "-hide_banner", "-loglevel", "error", "-i", clip, *options, os.path.join(disk, name, "index.m3u8")])
            upload.stop()
        launch.check_same(launch.files_in(disk), bucket.objects("rec/live/"), "the disk and the bucket")
        tap.check(bucket.head("rec/live/mpegts0/index.m3u8")["Content-Type"] == "application/vnd.apple.mpegurl", "the type is another")
        tap.check(not [name for name in os.listdir(folder) if name.startswith("hls-upload-")], "bodies were left behind")


def test_amshttpput_pushes_while_the_gateway_is_killed():
    tap.have_element("amshttpput")
    with tap.folder() as folder, rgw.Rgw(SHARED.ceph) as server:
        bucket = new_bucket(server)
        line = (launch.LIVE + "amshlssink write-files=always location=rec-%05d.ts playlist-location=rec.m3u8 target-duration=1 ! "
            "amshttpput location={}")
        with Upload(bucket, folder, "--retry-for", "1", "--app-prefix", "live") as upload:
            with launch.Launch(line.format(upload.url("")), folder) as recorder:
                launch.wait_until(lambda: bucket.get("rec.m3u8"), "the playlist is there")
                for _ in range(2):
                    server.kill()
                    count = len(launch.files_in(folder))
                    launch.wait_until(lambda: len(launch.files_in(folder)) > count + 1, "segments wait")  # pylint: disable=cell-var-from-loop
                    server.start()
                recorder.stop()
            upload.stop()
        disk = {name: data for name, data in launch.files_in(folder).items() if re.fullmatch(r"rec.*\.(ts|m3u8)", name)}
        launch.check_same(disk, bucket.objects(), "the disk and the bucket")


# What an answer means


def test_confirmed_is_readable_and_served_again():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        with Upload(bucket, folder) as upload:
            for number in range(10):
                data = random.randbytes(200000)
                upload.put(f"cam/{number}.ts", data)
                tap.check(bucket.get(f"live/cam/{number}.ts") == data, f"{number} was confirmed and is not there")
            status, headers, body = upload.ask("GET", "/live/hls-upload/cam/9.ts")
            tap.check(status == 200 and body == data and headers["Content-Type"] == "video/mp2t", f"GET answers {status}, {headers}")
            status, headers, body = upload.ask("GET", "/live/hls-upload/cam/9.ts", headers={"Range": "bytes=1000-1999"})
            tap.check(status == 206 and body == data[1000:2000], f"GET of a range answers {status}")
            status, headers, body = upload.ask("GET", "/live/hls-upload/cam/9.ts", headers={"Range": "bytes=199990-300000"})
            tap.check(status == 206 and body == data[199990:] and headers["Content-Range"] == "bytes 199990-199999/200000", f"{status}, {headers}")
            status, headers, body = upload.ask("GET", "/live/hls-upload/cam/9.ts", headers={"Range": "bytes=200000-"})
            tap.check(status == 416 and b"200000 bytes" in body and headers["Content-Range"] == "bytes */200000", f"GET behind the end answers {status}")
            status, headers, body = upload.ask("HEAD", "/live/hls-upload/cam/9.ts")
            tap.check(status == 200 and headers["Content-Length"] == "200000" and body == b"", f"HEAD answers {status}, {headers}")
            tap.check(upload.ask("DELETE", "/live/hls-upload/cam/9.ts")[0] == 204, "DELETE")
            tap.check(bucket.get("live/cam/9.ts") is None, "it is there after DELETE")
            tap.check(upload.ask("GET", "/live/hls-upload/cam/9.ts")[0] == 404, "GET after DELETE")
            tap.check(upload.ask("DELETE", "/live/hls-upload/cam/9.ts")[0] == 204, "DELETE again")


def check_pieces(upload, data):
    """The whole of a large file and parts of it, within the first piece, across its end and behind it."""
    url, size = "/live/hls-upload/large.ts", len(data)
    status, headers, body = upload.ask("GET", url)
    tap.check(status == 200 and body == data and headers["Content-Length"] == str(size), f"GET answers {status}, {headers}")
    for asked, start, end in (("1000-1999", 1000, 2000), ("1000000-3000000", 1000000, 3000001), ("5000000-", 5000000, size),
            ("-100", size - 100, size), (f"5000000-{size + 10}", 5000000, size)):
        status, headers, body = upload.ask("GET", url, headers={"Range": f"bytes={asked}"})
        tap.check(status == 206 and headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}", f"GET of {asked} answers {status}, {headers}")
        tap.check(body == data[start:end], f"other bytes than those of {asked}")


def test_large_files_are_read_a_piece_at_a_time():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        data = random.randbytes(24 * 1024 * 1024)
        bucket.put("live/large.ts", data)
        bucket.put("live/empty.txt", b"")
        with Upload(bucket, folder) as upload:
            tap.check(upload.ask("GET", "/live/hls-upload/empty.txt")[::2] == (200, b""), "an empty file")
            before = upload.memory()
            readers = [send_head(upload, "GET /live/hls-upload/large.ts HTTP/1.1\nHost: x\nConnection: close\n") for _ in range(12)]
            for reader in readers:
                tap.check(reader.recv(15).startswith(b"HTTP/1.1 200 OK"), "GET")
            check_pieces(upload, data)
            tap.check(upload.memory() - before < 3 * len(data), f"{upload.memory() - before} bytes for {len(readers)} that read {len(data)} each")
            bucket.put("live/large.ts", data[::-1])
            tap.check(data[:1000] in b"".join(iter(lambda: readers[0].recv(65536), b"")), "what was begun")
            for reader in readers:
                reader.close()
            check_pieces(upload, data[::-1])
            tap.check(upload.said() == "", upload.said())


def test_large_file_that_changes_while_it_is_read_is_cut_off():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        bucket.put("live/large.ts", b"1" * 24 * 1024 * 1024)
        with Upload(bucket, folder) as upload:
            reader = send_head(upload, "GET /live/hls-upload/large.ts HTTP/1.1\nHost: x\n")
            said = reader.recv(1000)
            bucket.put("live/large.ts", b"2" * 24 * 1024 * 1024)
            said += read_all(reader).encode()
            tap.check(b"2" not in said.partition(b"\r\n\r\n")[2] and len(said) < 24 * 1024 * 1024, f"{len(said)} bytes")
            tap.check(upload.ask("GET", "/live/hls-upload/large.ts")[2] == b"2" * 24 * 1024 * 1024, "GET afterwards")
            tap.check(upload.said() == "", upload.said())


def test_large_file_in_the_spool_is_read_a_piece_at_a_time():
    with tap.folder() as folder, rgw.Rgw(SHARED.ceph) as server:
        bucket = new_bucket(server)
        server.kill()
        data = random.randbytes(6 * 1024 * 1024)
        with Upload(bucket, folder, "--spool", "spool") as upload:
            upload.put("large.ts", data)
            check_pieces(upload, data)
            status, headers, body = upload.ask("HEAD", "/live/hls-upload/large.ts")
            tap.check(status == 200 and headers["Content-Length"] == str(len(data)) and body == b"", f"HEAD answers {status}, {headers}")


def test_segments_are_not_replaced_playlists_are():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        with Upload(bucket, folder) as upload:
            tap.check(upload.put("1.ts", b"one")[0] == 201, "a new segment")
            upload.put("1.ts", b"one")
            tap.check(upload.put("a.m3u8", playlist())[0] == 201 and upload.put("a.m3u8", playlist("1.ts"))[0] == 204, "playlists")
            upload.put("1.ts", b"two", ok=(409,))
            upload.put("a.m3u8", playlist(), ok=(412,), If_None_Match="*")
            upload.put("b.m3u8", playlist(), If_None_Match="*")
            upload.put("b.m3u8", playlist(), ok=(501,), If_Match='"x"')
            upload.put("1.ts", b"", ok=(400,))
        tap.check(bucket.objects("live/") == {"1.ts": b"one", "a.m3u8": playlist("1.ts"), "b.m3u8": playlist()}, bucket.keys())
        with Upload(bucket, folder, "--overwrite") as upload:
            upload.put("1.ts", b"two")
        tap.check(bucket.get("live/1.ts") == b"two", "--overwrite")


def test_playlist_waits_for_what_it_names():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        with Upload(bucket, folder) as upload:
            segment = send_head(upload, "PUT /live/hls-upload/cam/1.ts HTTP/1.1\nHost: x\nContent-Length: 10\n")
            segment.sendall(b"12345")
            answers = []
            thread = threading.Thread(target=lambda: answers.append(upload.put("cam/a.m3u8", playlist("1.ts"))))
            # What names nothing, and what was sent after it, is not held up.
            upload.put("cam/b.m3u8", playlist())
            thread.start()
            upload.put("cam/c.m3u8", playlist("2.ts"))
            tap.check(not answers and bucket.get("live/cam/a.m3u8") is None, "the playlist is there before its segment")
            segment.sendall(b"67890")
            thread.join(30)
            tap.check(answers and bucket.get("live/cam/1.ts") == b"1234567890", "the segment")
            segment.close()
            tap.check(bucket.get("live/cam/a.m3u8") == playlist("1.ts"), "the playlist")


def test_playlist_of_16_mib_is_stored_in_little_memory():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        text = playlist(*(f"{number}.ts" for number in range(850000)))[:16 * 1024 * 1024]
        tap.check(len(text) == 16 * 1024 * 1024, f"{len(text)} bytes")
        with Upload(bucket, folder) as upload:
            upload.put("a.m3u8", text)
            tap.check(upload.memory() <= 40 * 1024 * 1024, f"{upload.memory()} bytes")
        tap.check(bucket.get("live/a.m3u8") == text, "another playlist is there")


def test_playlist_that_names_what_was_cut_off_is_refused_until_it_is_sent_again():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        with Upload(bucket, folder) as upload:
            segment = send_head(upload, "PUT /live/hls-upload/cam/1.ts HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n")
            segment.sendall(b"5\r\n12345\r\n")
            segment.close()

            def refused():
                status, headers, said = upload.put("cam/a.m3u8", playlist("1.ts"), ok=(503,))
                return status == 503 and headers["Retry-After"] and "live/cam/1.ts" in said
            tap.check(refused(), "the playlist")
            upload.put("cam/a.m3u8", PLAYLIST.format("#EXT-X-GAP\n" + ENTRY.format("1.ts")).encode())
            tap.check(bucket.get("live/cam/1.ts") is None, "half a segment is there")
            upload.put("cam/1.ts", b"1234567890")
            upload.put("cam/a.m3u8", playlist("1.ts"))


def test_playlist_that_names_what_was_refused_is_refused():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        bucket.put("live/cam/a0.ts", b"of an earlier recording")
        bucket.put("live/cam/a.m3u8", playlist("old.ts", "a0.ts"))
        with Upload(bucket, folder) as upload:
            upload.put("cam/a0.ts", b"of this one", ok=(409,))
            for _ in range(3):
                _, _, said = upload.put("cam/a.m3u8", playlist("a0.ts"), ok=(503,))
                tap.check("live/cam/a0.ts" in said and "EXT-X-GAP" in said, said)
            upload.put("cam/a1.ts", b"more", ok=(201,), If_None_Match="*")
            upload.put("cam/a1.ts", b"of this one", ok=(412,), If_None_Match="*")
            upload.put("cam/b.m3u8", playlist("a1.ts"), ok=(503,))
            tap.check(bucket.get("live/cam/a.m3u8") == playlist("old.ts", "a0.ts"), "the earlier playlist is gone")
            said = upload.said()
            tap.check(said.count("live/cam/a0.ts is refused, and so are playlists") == 1, said)
            tap.check(said.count("live/cam/a.m3u8 is refused: ") == 1, said)
            gap = PLAYLIST.format("#EXT-X-GAP\n" + ENTRY.format("a0.ts")).encode()
            upload.put("cam/a.m3u8", gap)
            tap.check(bucket.get("live/cam/a.m3u8") == gap, "the playlist with a gap")
            tap.check("live/cam/a.m3u8 is taken again" in upload.said(), upload.said())
            # What waits already when it is refused, too.
            segment = send_head(upload, "PUT /live/hls-upload/cam/old.ts HTTP/1.1\nHost: x\nContent-Length: 3\n")
            bucket.put("live/cam/old.ts", b"older")
            segment.sendall(b"ol")
            answers = []
            thread = threading.Thread(target=lambda: answers.append(upload.put("cam/c.m3u8", playlist("old.ts"), ok=(503,))))
            upload.put("cam/d.m3u8", playlist())
            thread.start()
            launch.wait_until(lambda: upload.put("cam/d.m3u8", playlist()), "others go")
            segment.sendall(b"d")
            tap.check(segment.recv(12) == b"HTTP/1.1 409", "the segment that waits")
            segment.close()
            thread.join(30)
            tap.check(answers and bucket.get("live/cam/c.m3u8") is None, "the playlist that waits")
            tap.check(upload.ask("DELETE", "/live/hls-upload/cam/a0.ts")[0] == 204, "DELETE")
            upload.put("cam/a0.ts", b"of this one")
            upload.put("cam/a.m3u8", playlist("a0.ts"))


# What is refused


def test_who_may_upload():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        servers.write(os.path.join(folder, "users"), "# cameras\ncam:pass:word\nother:x\n")
        servers.write(os.path.join(folder, "tokens"), "first\nsecond-token\n")
        with Upload(bucket, folder, "--basic-file", "users", "--token-file", "tokens") as upload:
            upload.secrets += ["pass:word", "second-token"]
            for number, right in enumerate(("Basic " + base64.b64encode(b"cam:pass:word").decode(), "Bearer second-token")):
                upload.put(f"{number}.ts", b"x", Authorization=right)
            wrong = ("Basic " + base64.b64encode(b"cam:wrong").decode(), "Bearer second-toke", "Basic", "Bearer ", "Digest x", None)
            for value in wrong:
                headers = {"Authorization": value} if value else {}
                _, answered, said = upload.put("2.ts", b"x", ok=(401,), **headers)
                challenge = answered["WWW-Authenticate"]
                tap.check("Basic realm=" in challenge and "Bearer realm=" in challenge, challenge)
                tap.check("pass" not in said.replace("password", "") and "second" not in said, said)
            tap.check(upload.ask("GET", "/live/hls-upload/0.ts")[0] == 401, "GET")
            tap.check(upload.ask("DELETE", "/live/hls-upload/0.ts")[0] == 401, "DELETE")
        tap.check(sorted(bucket.keys()) == ["live/0.ts", "live/1.ts"], bucket.keys())


BAD_PATHS = {"/live/hls-upload/a%2fb.ts": 400, "/live/hls-upload/%5cb.ts": 400, "/live/hls-upload/a%00.ts": 400,
    "/live/hls-upload/a%0a.ts": 400, "/live/hls-upload/%ff.ts": 400, "/live/hls-upload/%zz.ts": 400, "/live/hls-upload/": 400,
    "/live/hls-upload/a//b.ts": 400, "/live/hls-upload/a/": 400, "/live/hls-upload/" + "x" * 1020: 400,
    "/live/hls-upload/%2e%2e/b.ts": (400, 404), "/live/hls-upload/../b.ts": (400, 404), "/live/hls-upload/a/../../../b.ts": (400, 404),
    "/live/hls-upload": 404, "/hls-upload/1.ts": 404, "/live/other/1.ts": 404, "/": 404}


def test_bad_paths_are_refused():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        with Upload(bucket, folder) as upload:
            for path, wanted in BAD_PATHS.items():
                status, _, said = upload.ask("PUT", path, b"x")
                tap.check(status in (wanted if isinstance(wanted, tuple) else (wanted,)), f"{path} answers {status}")
                # What cannot be parsed libsoup refuses by itself, without a word.
                tap.check(re.fullmatch(rb"[^\n]{20,}\.\n", said) or "%zz" in path, f"{path} says {said}")
            for method in ("POST", "PATCH", "MKCOL", "OPTIONS"):
                status, headers, _ = upload.ask(method, "/live/hls-upload/1.ts")
                tap.check(status == 405 and headers["Allow"] == "GET, HEAD, PUT, DELETE", f"{method} answers {status}")
            upload.put("1.ts", b"x", ok=(400,), Content_Range="bytes 0-0/2")
            upload.put("1.ts", b"x", ok=(415,), Content_Encoding="gzip")
            odd = "K%C3%BCche%20%25+&=/a..b.ts"
            upload.put(odd, b"odd")
            tap.check(upload.ask("GET", "/live/hls-upload/" + odd)[2] == b"odd", "an odd name")
        tap.check(bucket.keys() == ["live/Küche %+&=/a..b.ts"], bucket.keys())
        with Upload(bucket, folder, "--app-prefix", "live", "--key-prefix", "p/") as upload:
            upload.put("1.ts", b"x")
            tap.check(upload.ask("PUT", "/other/hls-upload/1.ts", b"x")[0] == 404, "another application")
        tap.check("p/1.ts" in bucket.keys(), bucket.keys())


def test_too_large_is_refused_without_its_body():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        with Upload(bucket, folder, "--max-size", "100K") as upload:
            upload.put("0.ts", b"x" * 102400)
            head = "PUT /live/hls-upload/1.ts HTTP/1.1\nHost: x\n"
            for more in ("Content-Length: 102401\n", "Content-Length: 99999999999\nExpect: 100-continue\n"):
                said = read_all(send_head(upload, head + more))
                tap.check(said.startswith("HTTP/1.1 413 ") and "larger" in said, said)
            accepted = send_head(upload, head + "Content-Length: 3\nExpect: 100-continue\n")
            tap.check(accepted.recv(25).startswith(b"HTTP/1.1 100 "), "no 100 Continue")
            accepted.sendall(b"abc")
            accepted.shutdown(socket.SHUT_WR)
            said = read_all(accepted)
            tap.check("HTTP/1.1 201 " in said, f"after 100 Continue: {said}")
            # Without a length it is found out on the way.
            endless = send_head(upload, head.replace("1.ts", "2.ts") + "Transfer-Encoding: chunked\n")
            with contextlib.suppress(ConnectionError):
                for _ in range(1000):
                    endless.sendall(b"4000\r\n" + b"x" * 16384 + b"\r\n")
            said = read_all(endless)
            tap.check(said.startswith("HTTP/1.1 413 ") or said == "", said)
            tap.check(subprocess.run(["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "-H", "Transfer-Encoding: chunked", "-T", "-",
                upload.url("2.ts")], input=b"x" * 300000, stdout=subprocess.PIPE, check=False).stdout == b"413", "curl")
        tap.check(bucket.keys() == ["live/0.ts", "live/1.ts"], bucket.keys())


def test_too_many_are_refused_and_the_slow_are_cut_off():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        with Upload(bucket, folder, "--max-requests", "2", "--timeout", "2") as upload:
            begun = time.monotonic()
            slow = [send_head(upload, f"PUT /live/hls-upload/{number}.ts HTTP/1.1\nHost: x\nContent-Length: 10\n") for number in range(2)]
            silent = socket.create_connection(("127.0.0.1", upload.port), 30)
            launch.wait_until(lambda: upload.ask("GET", "/live/hls-upload/9.ts")[0] == 503, "as many as may be are there", interval=0.1)
            _, headers, _ = upload.put("3.ts", b"x", ok=(503,))
            tap.check(int(headers["Retry-After"]) >= 1, headers)
            for connection in slow:
                said = read_all(connection)
                tap.check(said.startswith("HTTP/1.1 408 "), said)
            read_all(silent)
            tap.check(1.5 < time.monotonic() - begun < 20, "not after the time")
            upload.put("3.ts", b"x")
        tap.check(bucket.keys() == ["live/3.ts"], bucket.keys())


def check_said(said, *texts):
    for text in texts:
        tap.check(text in said, f"“{text}” is not in: {said}")


def check_start(folder, bucket, *texts, user=None):
    """It cannot be: that is an error at once, and with a spool it is said, and files are taken all the same."""
    options = (bucket, folder, "--retry-for", "1")
    try:
        with Upload(*options, user=user):
            raise AssertionError("it starts")
    except tap.Failed as failed:
        check_said(str(failed), "it does not start", *texts)
        tap.check((user or bucket.user).secret_key not in str(failed), "a secret is said")
    with Upload(*options, "--spool", next(NAMES), user=user) as upload:
        launch.wait_until(lambda: "in the spool until" in upload.said(), "it is said")
        check_said(upload.said(), *texts)
        upload.put("1.ts", b"x")


def test_what_cannot_work_is_said_at_the_start():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        user = bucket.user
        check_start(folder, bucket, "the secret does not belong to the access key", "SignatureDoesNotMatch",
            user=rgw.User("", user.access_key, "Wrong/secret+of"))
        check_start(folder, bucket, "does not know the access key", user=rgw.User("", "NOBODY", user.secret_key))
        check_start(folder, rgw.Bucket(bucket.server, "nowhere", user), "has no bucket “nowhere”")


def test_what_the_store_says_is_passed_on():
    with tap.folder() as folder, rgw.Rgw(SHARED.ceph) as server:
        bucket = new_bucket(server)
        server.kill()
        with Upload(bucket, folder, "--retry-for", "1") as upload:
            tap.check("refused until" in upload.said() and "127.0.0.1" in upload.said(), upload.said())
            _, _, said = upload.put("1.ts", b"x", ok=(503,))
            check_said(said, "127.0.0.1")
            server.start()
            upload.put("1.ts", b"x")
            server.ceph.run("radosgw-admin", "user", "suspend", f"--uid={bucket.user.name}")
            _, _, said = upload.put("2.ts", b"x", ok=(502,))
            check_said(said, "403")


def test_wrong_options_are_said():
    with tap.folder() as folder:
        servers.write(os.path.join(folder, "empty"), "\n")
        wrong = {"--bucket": ("--listen", "127.0.0.1:0"), "--listen": ("--bucket", "rec", "--listen", "8080"),
            "--max-size": ("--bucket", "rec", "--max-size", "much"), "certificate": ("--bucket", "rec", "--certificate", "x"),
            "empty": ("--bucket", "rec", "--basic-file", "empty"), "no credentials": ("--bucket", "rec")}
        for text, options in wrong.items():
            done = subprocess.run([os.environ["AMS_HLS_UPLOAD"], *options], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                timeout=20, check=False)
            said = done.stdout.decode()
            tap.check(done.returncode == 1 and text in said and said.count("\n") == 1, f"{options}: {done.returncode}, {said}")


def test_tls():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        pem = os.path.join(SHARED.ceph.certificates, "good")
        with Upload(bucket, folder, "--certificate", pem + ".pem", "--private-key", pem + ".key", "--max-size", "1K",
                ca=os.path.join(SHARED.ceph.certificates, "ca.pem")) as upload:
            upload.put("1.ts", b"x")
            upload.put("2.ts", b"x" * 1025, ok=(413,))
            tap.check(upload.ask("GET", "/live/hls-upload/1.ts")[2] == b"x", "GET")


# With a spool


def test_spool_confirms_while_the_store_is_away_and_survives_a_kill():
    with tap.folder() as folder, rgw.Rgw(SHARED.ceph) as server:
        bucket = new_bucket(server)
        server.kill()
        sent = {}
        spool = ("--spool", "spool")

        def push(upload, number):
            sent[f"cam/{number}.ts"] = random.randbytes(50000)
            upload.put(f"cam/{number}.ts", sent[f"cam/{number}.ts"])
            sent["cam/a.m3u8"] = playlist(*(f"{n}.ts" for n in range(number + 1)))
            upload.put("cam/a.m3u8", sent["cam/a.m3u8"])
        with Upload(bucket, folder, *spool) as upload:
            for number in range(8):
                push(upload, number)
            tap.check(upload.ask("GET", "/live/hls-upload/cam/a.m3u8")[2] == sent["cam/a.m3u8"], "what is in the spool is not served")
            half = send_head(upload, "PUT /live/hls-upload/cam/half.ts HTTP/1.1\nHost: x\nContent-Length: 10\n")
            half.sendall(b"12345")
            launch.wait_until(lambda: upload.said(), "it says that the store is away")
            upload.kill()
            half.close()
        with Upload(bucket, folder, *spool) as upload:
            push(upload, 8)
            upload.put("other.m3u8", playlist("1.ts"), ok=(501,), If_None_Match="*")
            server.start()
            begun = time.monotonic()
            seen = 0
            while seen < 9:
                tap.check(time.monotonic() - begun < 30, "it has not arrived")
                text = (bucket.get("live/cam/a.m3u8") or b"").decode()
                there = set(bucket.keys())
                listed = re.findall(r"^(\d+\.ts)$", text, re.M)
                tap.check(all(f"live/cam/{name}" in there for name in listed), f"a playlist lists {listed}, there are {there}")
                seen = len(listed)
            upload.stop()
        tap.check(bucket.objects("live/") == sent, f"there are {bucket.keys()}, not {sorted(sent)}")


def test_spool_that_gives_up_a_segment_refuses_the_playlist_that_names_it():
    with tap.folder() as folder:
        bucket = new_bucket(SHARED.gateway)
        bucket.put("live/1.ts", b"another")
        with Upload(bucket, folder, "--spool", "spool") as upload:
            upload.put("1.ts", b"one")
            launch.wait_until(lambda: "live/1.ts is given up" in upload.said(), "it is given up")
            upload.put("a.m3u8", playlist("1.ts"), ok=(503,))
            upload.kill()
        with Upload(bucket, folder, "--spool", "spool") as upload:
            upload.put("a.m3u8", playlist("1.ts"), ok=(503,))
            upload.put("a.m3u8", playlist("2.ts"))
            tap.check(upload.ask("DELETE", "/live/hls-upload/1.ts")[0] == 204, "DELETE")
            upload.put("1.ts", b"one")
            launch.wait_until(lambda: bucket.get("live/1.ts") == b"one", "it is stored after all")
            upload.put("a.m3u8", playlist("1.ts"))
            upload.stop()
        tap.check(bucket.get("live/a.m3u8") == playlist("1.ts"), "the playlist")


def main():
    global SHARED  # pylint: disable=global-statement
    # Nobody's own settings; and no credentials but those that a test gives.
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/nowhere", AWS_SHARED_CREDENTIALS_FILE="/nowhere")
    with tap.folder() as folder:
        SHARED = Shared(folder)
        try:
            SHARED.gateway  # pylint: disable=pointless-statement
            return tap.run_tests(launch.beside_each_other(globals(), 5))
        except tap.Skip as reason:
            print(f"1..0 # SKIP {reason}")
            return 0
        except tap.Failed as reason:
            print(f"1..1\nnot ok 1 - {reason}")
            return 1
        finally:
            SHARED.end()


if __name__ == "__main__":
    sys.exit(main())
