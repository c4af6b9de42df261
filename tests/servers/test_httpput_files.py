#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""amshttpput behind what GStreamer has, to nginx and Apache: single files, fragments, copies, passwords, certificates,
and what a refused file says."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import launch  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402
import tscheck  # noqa: E402

HLS = "amshlssink location=s%05d.ts playlist-location=s.m3u8 target-duration=1 "
SECRETS = ("user:", servers.PASSWORD + "@", "wrong")
IMPATIENT = "drain-timeout=3000000000 "  # ns: long enough for a first answer on a busy machine
REFUSING = "location /forbidden { deny all; dav_methods PUT; } location /small { dav_methods PUT; client_max_body_size 100k; }"


def made_file(folder, size=200000):
    path = os.path.join(folder, "made.ts")
    with open(path, "wb") as file:
        file.write(os.urandom(size))
    return path


def put_file(folder, url, more="", code=0, size=200000):
    """One file by filesrc; what was said, and the file's bytes."""
    path = made_file(folder, size)
    said = launch.run(f"filesrc location={path} ! amshttpput location={url} {more}", folder, code=code)
    with open(path, "rb") as file:
        return said, file.read()


def check_is(server, name, data):
    with open(server.path(name), "rb") as file:
        tap.check(file.read() == data, f"{name} is not what was put")


def frames_in(path):
    """How many frames ffmpeg decodes, without an error."""
    tap.need("ffmpeg")
    hls = ["-allowed_extensions", "ALL"] if path.endswith(".m3u8") else []
    said = tap.run(["ffmpeg", "-nostdin", "-v", "error", "-xerror", *hls, "-i", path, "-f", "null", "-progress", "-", "-"])
    tap.check("rror" not in said, said)
    return int(re.findall(r"^frame=(\d+)", said, re.M)[-1])


def check_whole(path):
    tap.m3u8_check(path)
    report = tscheck.check(path)
    tap.check(not report.findings, "\n".join(report.findings))
    return report


def check_says(said, *words):
    missing = [w for w in words if w not in said]
    tap.check(not missing, f"{missing} is not in:\n{said}")


def test_file_is_put_byte_for_byte():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        for size in (1, 200000, 5000000):
            said, data = put_file(folder, server.url(f"/a/{size}.ts"), size=size)
            check_is(server, f"a/{size}.ts", data)
            tap.check("WARNING" not in said, said)


def test_splitmuxsink_puts_each_fragment():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        for number in range(5):
            url = server.url(f"/run{number}/f%02d.ts")
            said = launch.run(launch.clip(6) + f"splitmuxsink max-size-time=2000000000 muxer=mpegtsmux sink=amshttpput location={url}", folder,
                timeout=20)
            tap.check("WARN" not in said, said)
            names = sorted(os.listdir(server.path(f"run{number}")))
            tap.check(names == ["f00.ts", "f01.ts", "f02.ts"], f"run {number}: {names}")
        frames = sum(frames_in(server.path(f"run0/{name}")) for name in names)
        tap.check(frames == 180, f"{frames} of 180 frames")


def test_splitmuxsink_with_sinks_of_their_own_puts_each_fragment():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        for number in range(5):
            url = server.url(f"/run{number}/f%02d.ts", "basic")
            said = launch.run(launch.clip(6) + "splitmuxsink max-size-time=2000000000 async-finalize=true muxer-factory=mpegtsmux "
                f"sink-factory=amshttpput sink-properties=p,user-id={servers.USER},user-pw={servers.PASSWORD} location={url}", folder, timeout=20)
            tap.check("WARN" not in said, said)
            names = sorted(os.listdir(server.path(f"run{number}")))
            tap.check(names == ["f00.ts", "f01.ts", "f02.ts"], f"run {number}: {names}")
        frames = sum(frames_in(server.path(f"run0/{name}")) for name in names)
        tap.check(frames == 180, f"{frames} of 180 frames")


def test_copy_from_server_to_server_has_as_many_frames():
    """souphttpsrc and amshttpput share libsoup in one process."""
    with tap.folder() as folder, servers.Nginx(folder) as server:
        launch.run(launch.clip(6) + HLS + f"! amshttpput location={server.url('/one/')}", folder)
        said = launch.run(f"souphttpsrc location={server.url('/one/s.m3u8')} ! hlsdemux ! tsdemux ! h264parse ! {HLS} "
            f"! amshttpput location={server.url('/two/')}", folder)
        tap.check("WARN" not in said and "ERROR" not in said, said)
        one, two = (check_whole(server.path(f"{name}/s.m3u8")) for name in ("one", "two"))
        frames = [frames_in(server.path(f"{name}/s.m3u8")) for name in ("one", "two")]
        tap.check(frames == [180, 180], f"frames: {frames}")
        tap.check(abs(one.playlist.duration - two.playlist.duration) < 0.05, f"{one.playlist.duration} s and {two.playlist.duration} s")


def test_refused_file_is_said_and_fails():
    with tap.folder() as folder, servers.Nginx(folder, extra=REFUSING) as server:
        for url, words in (
                (server.url("/forbidden/x.ts"), ("403", "Forbidden")),
                (server.url("/x.ts", "basic"), ("401", "user-pw")),
                (server.url("/x.ts", "basic").replace("//", "//user:wrong@"), ("401", "user-pw")),
                (server.url("/small/x.ts"), ("413", "client_max_body_size"))):
            said, _ = put_file(folder, url, IMPATIENT, code=1)
            check_says(said, "WARNING", "ERROR", "will be lost", "/x.ts", *words)
            tap.check(not any(secret in said for secret in SECRETS), said)
        tap.check(not [n for n in launch.files_in(server.files) if "x.ts" in n], "a file that was refused is there")


def test_refused_file_waits_in_the_spool():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        url = server.url("/x.ts", "basic").replace("//", "//user:wrong@")
        said, data = put_file(folder, url, IMPATIENT + "spool-dir=spool")
        check_says(said, "WARNING", "401")
        tap.check("ERROR" not in said and not os.path.exists(server.path("x.ts")), said)
        waiting = [d for d in launch.files_in(os.path.join(folder, "spool")).values() if d == data]
        tap.check(len(waiting) == 1, "it is not in the spool")
        url = server.url("/x.ts", "basic", credentials=True)
        said = launch.run(f"filesrc location={made_file(folder, 0)} ! amshttpput location={url} spool-dir=spool", folder)
        check_is(server, "x.ts", data)


def test_unreachable_server_is_said_and_fails():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        server.kill()
        said, _ = put_file(folder, server.url("/x.ts"), IMPATIENT, code=1)
        check_says(said, "WARNING", "connection refused", "will be lost")


def test_apache_takes_recordings_by_all_its_identities():
    with tap.folder() as folder, servers.Apache(folder) as server:
        ca = os.path.join(server.certificates, "ca.pem")
        for site, more in (("plain", ""), ("basic", ""), ("digest", "auth=digest"), ("tls", f"ssl-ca-file={ca}")):
            url = server.url(f"/{site}/deep/er/", site, credentials=site != "plain")
            said = launch.run(launch.clip(3) + HLS + f"! amshttpput location={url} create-collections=true {more}", folder)
            tap.check("WARN" not in said and "ERROR" not in said, said)
            report = check_whole(server.path(f"{site}/deep/er/s.m3u8"))
            tap.check(abs(report.playlist.duration - 3) < 0.05, f"{site}: {report.playlist.duration} s")


def test_apache_without_the_folder_says_so():
    with tap.folder() as folder, servers.Apache(folder) as server:
        said, _ = put_file(folder, server.url("/no/x.ts"), IMPATIENT, code=1)
        check_says(said, "WARNING", "create-collections")
        _, data = put_file(folder, server.url("/no/x.ts"), "create-collections=true")
        check_is(server, "no/x.ts", data)


def test_apache_file_that_is_there_is_left_alone():
    with tap.folder() as folder, servers.Apache(folder) as server:
        _, before = put_file(folder, server.url("/x.ts"))
        for more in ("", "on-error=error"):
            said, _ = put_file(folder, server.url("/x.ts"), more, code=1)
            tap.check("WARNING" not in said and said.count("ERROR: from") == 1, said)
            check_says(said, "ERROR", "/x.ts", "is another file already", "overwrite=always")
            check_is(server, "x.ts", before)
        with open(made_file(folder), "rb") as file:
            after = file.read()
        for more in ("overwrite=always", ""):  # then it is the same file, which is no fault
            said = launch.run(f"filesrc location={folder}/made.ts ! amshttpput {more} location={server.url('/x.ts')}", folder)
            tap.check("WARNING" not in said, said)
            check_is(server, "x.ts", after)


def test_certificate_by_another_authority_is_named_and_nothing_is_sent():
    with tap.folder() as folder:
        other = os.path.join(folder, "other.pem")
        tap.need("openssl")
        tap.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Another CA",
            "-days", "30", "-keyout", os.path.join(folder, "other.key"), "-out", other])
        for kind in (servers.Apache, servers.Nginx):
            with kind(folder) as server:
                url = server.url("/x.ts", "tls", credentials=True)
                for more in ("", f"ssl-ca-file={other}"):
                    said, _ = put_file(folder, url, IMPATIENT + more, code=1)
                    check_says(said, "WARNING", "certificate", "unknown CA", f"127.0.0.1:{server.ports['tls']}", "ssl-ca-file")
                    tap.check(not any(secret in said for secret in SECRETS), said)
                tap.check(not os.path.exists(server.path("x.ts")), "the file is there")
                log = os.path.join(server.folder, "access.log")
                if kind is servers.Nginx:  # Apache keeps none
                    with open(log, encoding="utf-8") as file:
                        tap.check("PUT" not in file.read(), "something was sent")


def test_nginx_with_tls_and_http2_takes_a_recording():
    with tap.folder() as folder, servers.Nginx(folder, http2=True) as server:
        ca = os.path.join(server.certificates, "ca.pem")
        offered = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.ports['tls']}", "-alpn", "h2,http/1.1"], input=b"",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=False).stdout
        tap.check(b"ALPN protocol: h2" in offered, "the server does not offer HTTP/2")
        url = server.url("/tls/", "tls", credentials=True)
        said = launch.run(launch.clip(3) + HLS + f"! amshttpput location={url} ssl-ca-file={ca}", folder)
        tap.check("WARN" not in said and "ERROR" not in said, said)
        check_whole(server.path("tls/s.m3u8"))
        with open(os.path.join(server.folder, "access.log"), encoding="utf-8") as log:
            protocols = set(re.findall(r'"PUT \S+ (HTTP/[\d.]+)"', log.read()))
        tap.check(protocols == {"HTTP/1.1"}, f"files went by {protocols}")


if __name__ == "__main__":
    tap.need("gst-launch-1.0")
    sys.exit(tap.run_tests(launch.beside_each_other(globals(), 6)))
