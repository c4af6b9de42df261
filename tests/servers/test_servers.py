#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The servers that other tests use: that they serve, can be killed and come back, and that the reader sees mistakes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import faultserver  # noqa: E402
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


if __name__ == "__main__":
    sys.exit(tap.run_tests(globals()))
