#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The servers that other tests use: that they serve, can be killed and come back, and that the reader sees mistakes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import faultserver  # noqa: E402
import rgw  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402

CURL = ["curl", "-sS", "--max-time", "20", "--noproxy", "*"]
HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n"


def curl(*arguments):
    """The status, and what was said before it."""
    tap.need("curl")
    said = tap.run(CURL + ["-w", "\n%{http_code}", *arguments])
    body, status = said.rsplit("\n", 1)
    return int(status), body


def upload(folder, url, *arguments, data="hello"):
    path = os.path.join(folder, "upload")
    servers.write(path, data)
    return curl("-T", path, *arguments, url)[0]


def credentials(site):
    user = f"{servers.USER}:{servers.PASSWORD}"
    return {"plain": [], "basic": ["-u", user], "tls": ["-u", user], "digest": ["--digest", "-u", user]}[site]


def round_trip(server, folder):
    """Every site takes a file and gives it back, and refuses who does not say the password."""
    for site in server.sites:
        ca = ["--cacert", os.path.join(server.certificates, "ca.pem")]
        url = server.url(f"/{site}.ts", site)
        if site != "plain":
            status = upload(folder, url, *ca)
            tap.check(status == 401, f"{server.name} {site}: {status} without a password")
        status = upload(folder, url, *ca, *credentials(site))
        tap.check(status == 201, f"{server.name} {site}: PUT is answered {status}")
        status, body = curl(*ca, *credentials(site), url)
        tap.check((status, body) == (200, "hello"), f"{server.name} {site}: GET is answered {status} {body}")
        tap.check(os.path.getsize(server.path(f"{site}.ts")) == 5, f"{server.name} {site}: the file is another")


def dies_and_comes_back(server, folder):
    url = server.url("/kept.ts")
    upload(folder, url)
    port = server.ports["plain"]
    for end in (server.kill, server.stop):
        end()
        tap.check(not server.listens(port), f"{server.name} listens still")
        server.start()
        tap.check(server.ports["plain"] == port, "the port is another")
        tap.check(curl(url) == (200, "hello"), f"{server.name}: the file is gone")


def test_nginx_file_that_is_put_is_got():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        round_trip(server, folder)
        status = upload(folder, server.url("/a/b/c.ts"))
        tap.check(status == 201, f"a folder that is not there: {status}")


def test_nginx_limits_are_its_own():
    with tap.folder() as folder, servers.Nginx(folder, max_body="1k", create_folders=False) as server:
        status = upload(folder, server.url("/big.ts"), data="x" * 2000)
        tap.check(status == 413, f"more than client_max_body_size: {status}")
        status = upload(folder, server.url("/a/b.ts"))
        tap.check(status in (409, 500), f"a folder that is not there: {status}")


def test_nginx_killed_comes_back_with_port_and_files():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        dies_and_comes_back(server, folder)


def test_apache_file_that_is_put_is_got():
    with tap.folder() as folder, servers.Apache(folder) as server:
        round_trip(server, folder)
        status = upload(folder, server.url("/a/b.ts"))
        tap.check(status in (403, 409), f"a folder that is not there: {status}")
        tap.check(curl("-X", "MKCOL", server.url("/a/"))[0] == 201, "MKCOL")
        tap.check(upload(folder, server.url("/a/b.ts")) == 201, "after MKCOL")


def test_apache_killed_comes_back_with_port_and_files():
    with tap.folder() as folder, servers.Apache(folder) as server:
        dies_and_comes_back(server, folder)


def read_versions(*steps, sliding=False):
    """What a reader of /p.m3u8 finds wrong with versions, each put after the files before it."""
    with tap.folder() as folder, faultserver.FaultServer() as server:
        reader = servers.PollingReader(server.url("/p.m3u8"), interval=0.01, sliding=sliding)
        version = 0
        for name, text in steps:
            if text is None:
                server.command("remove", name)
                continue
            status = upload(folder, server.url(name), data=text)
            tap.check(status in (201, 204), f"PUT is answered {status}")
            if name == "/p.m3u8":
                version += 1
                reader.wait_for_version(version)
        return reader.finish(), server.problems()


def test_reader_good_recording_has_no_problems():
    problems, told = read_versions(("/1.ts", "x"), ("/p.m3u8", HEAD + "#EXTINF:1,\n1.ts\n"), ("/2.ts", "xy"),
        ("/p.m3u8", HEAD + "#EXTINF:1,\n1.ts\n#EXTINF:1,\n2.ts\n#EXT-X-GAP\n#EXTINF:1,\n3.ts\n"))
    tap.check(problems == [] and told is None, f"{problems} {told}")


def test_reader_sliding_window_has_no_problems():
    problems, _ = read_versions(("/1.ts", "x"), ("/2.ts", "xy"), ("/p.m3u8", HEAD + "#EXTINF:1,\n1.ts\n#EXTINF:1,\n2.ts\n"),
        ("/p.m3u8", HEAD + "#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:1,\n2.ts\n"), ("/1.ts", None), sliding=True)
    tap.check(problems == [], problems)


def test_reader_mistakes_are_seen():
    one = HEAD + "#EXTINF:1,\n1.ts\n"
    for word, *steps in (
            ("answers 404", ("/p.m3u8", one)),
            ("empty", ("/1.ts", ""), ("/p.m3u8", one)),
            ("answers 404", ("/1.ts", "x"), ("/p.m3u8", one), ("/1.ts", None)),
            ("had 1 bytes and has 2", ("/1.ts", "x"), ("/p.m3u8", one), ("/1.ts", "xy")),
            ("no whole playlist", ("/p.m3u8", one[:-1])),
            ("no longer", ("/1.ts", "x"), ("/p.m3u8", one), ("/p.m3u8", HEAD)),
            ("number 0, and is 1", ("/1.ts", "x"), ("/p.m3u8", one), ("/p.m3u8", HEAD + "#EXT-X-MEDIA-SEQUENCE:1\n"))):
        problems, _ = read_versions(*steps)
        tap.check(any(word in p for p in problems), f"“{word}” is not in {problems}")


def test_faults_rules_and_requests_come_through():
    with tap.folder() as folder, faultserver.FaultServer(tls="good", certificates=servers.certificates(folder)) as server:
        ca = ["--cacert", os.path.join(servers.certificates(folder), "ca.pem")]
        server.rule(method="PUT", path="*.ts", count=1, status=503, headers="Retry-After: 1\nX: \"y\"", unread=True, close=True)
        status, said = curl(*ca, "-D", "-", "-T", "/etc/hostname", server.url("/1.ts"))
        tap.check(status == 503 and 'X: "y"' in said, said)
        tap.check(upload(folder, server.url("/1.ts"), *ca) == 201, "the second PUT")
        request = server.wait(lambda r: r["stored"])
        tap.check((request["status"], request["body"], request["path"]) == (201, 5, "/1.ts"), request)
        tap.check(server.get("/1.ts") == b"hello" and server.names() == ["/1.ts"], server.names())


def s3cmd(bucket, *arguments, site="plain"):
    tap.need("s3cmd")
    host = f"127.0.0.1:{bucket.server.ports[site]}"
    tls = [f"--ca-certs={bucket.server.certificates}/ca.pem", "--ssl"] if site == "tls" else ["--no-ssl"]
    return tap.run(["s3cmd", "-c", "/dev/null", f"--access_key={bucket.user.access_key}", f"--secret_key={bucket.user.secret_key}",
        f"--host={host}", f"--host-bucket={host}", "--no-progress", "--force", *tls, *arguments])


def test_rgw_keeps_what_s3cmd_and_bucket_put():
    with tap.folder() as folder, rgw.Ceph(folder) as ceph, rgw.Rgw(ceph) as server:
        bucket = server.bucket("rec", ceph.user("cam"), public=True)
        path = os.path.join(folder, "file")
        servers.write(path, "hello")
        s3cmd(bucket, "put", path, "s3://rec/a b+c%/ü", site="tls")
        tap.check(bucket.objects("a b") == {"+c%/ü": b"hello"}, bucket.objects())
        bucket.put("other~🎥", b"you")
        s3cmd(bucket, "get", "s3://rec/other~🎥", path)
        with open(path, "rb") as file:
            tap.check(file.read() == b"you", "s3cmd got something else")
        port = server.ports["plain"]
        server.kill()
        tap.check(not server.listens(port), "rgw listens still")
        server.start()
        tap.check(bucket.keys() == ["a b+c%/ü", "other~🎥"], bucket.keys())
        tap.check(curl(bucket.url("other~🎥")) == (200, "you"), "what is public cannot be read")
        tap.check(curl(bucket.url("none"))[0] == 404, "who may list is told what is not there")


def test_rgw_refuses_whom_it_should():
    with tap.folder() as folder, rgw.Ceph(folder) as ceph, rgw.Rgw(ceph, sts=True, max_put=1000) as server:
        user = ceph.user("cam")
        bucket = server.bucket("rec", user)

        def put(size=1, user=user):
            status, _, body = server.ask("PUT", "/rec/key", body=b"x" * size, user=user)
            return status if status == 200 else body.decode().partition("<Code>")[2].partition("<")[0]
        tap.check(put() == 200 and put(1001) == "EntityTooLarge", "the largest body")
        tap.check(put(user=rgw.User("", user.access_key, "wrong")) == "AccessDenied", "a wrong secret")
        tap.check(server.ask("GET", "/rec/key")[0] == 403, "who says no key")
        session, _ = server.session(ceph.role("writer", user), user, 60)
        tap.check(put(user=session) == 200, "a session token")
        tap.check(put(user=rgw.User("", session.access_key, session.secret_key)) == "AccessDenied", "no token")
        ceph.suspend(user)
        tap.check(put() == "UserSuspended", "who is suspended")
        ceph.enable(user)
        ceph.quota(user, max_objects=1)
        tap.check(put() == "QuotaExceeded", "the quota")
        ceph.quota(user, max_objects=10)
        tap.check(put() == 200 and bucket.keys() == ["key"], "all is allowed again")


if __name__ == "__main__":
    sys.exit(tap.run_tests(globals()))
