#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings through squid, which wants a user and a password, to nginx and to Ceph's RADOS Gateway."""
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import launch  # noqa: E402
import rgw  # noqa: E402
import servers  # noqa: E402
import squid  # noqa: E402
import tap  # noqa: E402

HLS = launch.clip(3) + ("amshlssink name=h location=%05d.ts playlist-location=p.m3u8 target-duration=1 write-files=never ! ")
NO_ENVIRONMENT = {name: "" for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")}
WRONG = "another!"


def put(server, site, more=""):
    """amshttpput to that site."""
    user = "" if site == "plain" else f"user-id={servers.USER} user-pw={servers.PASSWORD} "
    ca = f"ssl-ca-file={server.certificates}/ca.pem " if site == "tls" else ""
    return f"amshttpput location={server.url('/rec/', site)} {user}{ca}{more}"


def quoted(text):
    """As a value of a launch line, which shlex and gst_parse take apart."""
    return "'\"" + text.replace("\\", "\\\\").replace('"', '\\"') + "\"'"


def record(folder, line, environment=None, code=0, debug=False):
    """Returns what was said."""
    env = {**NO_ENVIRONMENT, **(environment or {})}
    options = ["-m"] + (["--gst-debug=ams*:9,GST_*:3"] if debug else [])
    return launch.run(HLS + line, folder, *options, env=env, code=code)


def check_on_disk(server):
    names = sorted(os.listdir(server.path("rec")))
    tap.check("p.m3u8" in names and len(names) >= 4, f"{names} were put")
    with open(server.path("rec/p.m3u8"), encoding="utf-8") as file:
        tap.check("#EXT-X-ENDLIST" in file.read(), "the playlist has no end")


def check_hidden(said, password=squid.PASSWORD):
    """The password, as it is and percent-encoded."""
    for text in (password, urllib.parse.quote(password, safe="")):
        tap.check(text not in said, f"the password is in what was said:\n{said[-3000:]}")


def check_passed(proxy, method, count):
    """squid notes a tunnel when it has ended."""
    launch.wait_until(lambda: proxy.passed(method) >= count, f"squid has let {count} {method} through")


def through(site, **options):
    """A recording to nginx: by the property, by proxy-id and proxy-pw, by the environment; each goes through squid."""
    method = "CONNECT" if site == "tls" else "PUT"
    variable = "https_proxy" if site == "tls" else "http_proxy"
    with tap.folder() as folder, servers.Nginx(folder) as server, squid.Squid(folder, **options) as proxy:
        apart = f"proxy=http://{proxy.address()} proxy-id={quoted(squid.USER)} proxy-pw={quoted(squid.PASSWORD)}"
        for more, environment in ((f"proxy={proxy.url()}", {}), (apart, {}), ("", {variable: proxy.url()}),
                ("", {"ALL_PROXY": proxy.url().removeprefix("http://")})):
            before = proxy.passed(method)
            said = record(folder, put(server, site, more + " overwrite=always"), environment, debug=not more)
            check_on_disk(server)
            check_hidden(said)
            if not more:
                check_hidden(said, servers.PASSWORD + "-none")
            check_passed(proxy, method, before + 1)


def test_http_goes_through_with_password():
    through("plain")


def test_http_own_password_arrives_at_the_server_too():
    through("basic")


def test_https_goes_through_with_password():
    through("tls")


def test_https_goes_through_with_digest():
    through("tls", digest=True)


def test_proxy_that_wants_none_gets_none():
    with tap.folder() as folder, servers.Nginx(folder) as server, squid.Squid(folder, open=True) as proxy:
        for site, method in (("plain", "PUT"), ("tls", "CONNECT")):
            record(folder, put(server, site, f"proxy=http://{proxy.address()} overwrite=always"))
            check_on_disk(server)
            launch.wait_until(lambda m=method: any(seen == m for _, seen, _, _ in proxy.requests()), f"squid has seen a {method}")


def refused(site, given, proxy, server, folder, part):
    said = record(folder, put(server, site, f"proxy={given} on-error=error"), code=None)
    tap.check("GstMessageError" in said or "ERROR" in said, said[-2000:])
    tap.check(f"the proxy “{proxy.address()}” {part}" in said, said[-3000:])
    check_hidden(said)
    check_hidden(said, WRONG)
    tap.check(not os.path.exists(server.path("rec")), "something was put all the same")


def test_wrong_password_is_one_clear_error():
    for options in ({}, {"digest": True}):
        with tap.folder() as folder, servers.Nginx(folder) as server, squid.Squid(folder, **options) as proxy:
            for site in ("plain", "tls"):
                refused(site, proxy.url(WRONG), proxy, server, folder, "does not take the user and password")
            tap.check(len(proxy.requests()) < 20, f"squid was asked {len(proxy.requests())} times")


def test_no_password_is_one_clear_error():
    with tap.folder() as folder, servers.Nginx(folder) as server, squid.Squid(folder) as proxy:
        for site in ("plain", "tls"):
            refused(site, f"http://{proxy.address()}", proxy, server, folder, "wants a user and a password")


def test_proxy_that_forbids_is_one_clear_error():
    with tap.folder() as folder, servers.Nginx(folder) as server, squid.Squid(folder, closed=True) as proxy:
        refused("tls", proxy.url(), proxy, server, folder, "does not allow a connection")


def test_no_proxy_goes_around():
    with tap.folder() as folder, servers.Nginx(folder) as server, squid.Squid(folder) as proxy:
        for site in ("plain", "tls"):
            for exempt in ("127.0.0.1", "localhost,127.0.0.0/8", f"127.0.0.1:{server.ports[site]}", "*"):
                record(folder, put(server, site, "overwrite=always"),
                    {"http_proxy": proxy.url(), "https_proxy": proxy.url(), "no_proxy": exempt})
                check_on_disk(server)
        tap.check(not proxy.requests(), f"squid has seen {proxy.requests()}")


def test_proxy_killed_in_the_midst_costs_nothing():
    with tap.folder() as folder, servers.Nginx(folder) as server, squid.Squid(folder) as proxy:
        line = HLS.replace(launch.clip(3), launch.LIVE).replace("write-files=never", "write-files=auto")
        with launch.Launch(line + put(server, "tls", f"proxy={proxy.url()} spool-dir=spool"), folder, "-m",
                env=NO_ENVIRONMENT) as recorder:
            recorder.wait_for("ams-file-uploaded", times=3)
            proxy.kill()
            recorder.wait_for("ams-file-retrying")
            proxy.start()
            seen = recorder.said().count("ams-file-uploaded")
            recorder.wait_for("ams-file-uploaded", times=seen + 4)
            recorder.stop()
            said = recorder.said()
        tap.check("ams-file-failed" not in said, said[-3000:])
        check_hidden(said)
        tap.m3u8_check(server.path("rec/p.m3u8"))
        with open(server.path("rec/p.m3u8"), encoding="utf-8") as file:
            text = file.read()
        tap.check("#EXT-X-GAP" not in text and "#EXT-X-ENDLIST" in text, text)


def test_s3_goes_through_with_password():
    with tap.folder() as folder, rgw.Ceph(folder) as ceph, rgw.Rgw(ceph) as server, squid.Squid(folder) as proxy:
        bucket = server.bucket("rec", ceph.user("cam"))
        for number, (site, method, variable) in enumerate((("plain", "PUT", "http_proxy"), ("tls", "CONNECT", "https_proxy"))):
            for way, (more, environment) in enumerate(((f"proxy={proxy.url()}", {}), ("", {variable: proxy.url()}))):
                before = proxy.passed(method)
                prefix = f"{number}{way}/"
                line = (f"amss3put bucket=rec key-prefix={prefix} endpoint={server.endpoint(site)} {more} "
                    f"ssl-ca-file={server.certificates}/ca.pem")
                said = record(folder, line, {**bucket.user.environment(), **environment})
                check_hidden(said)
                keys = [key for key in bucket.keys() if key.startswith(prefix)]
                tap.check(f"{prefix}p.m3u8" in keys and len(keys) >= 4, f"{keys} were put")
                check_passed(proxy, method, before + 1)
        said = record(folder, f"amss3put bucket=rec endpoint={server.endpoint('tls')} proxy={proxy.url(WRONG)} on-error=error",
            bucket.user.environment(), code=None)
        tap.check(f"the proxy “{proxy.address()}” does not take" in said, said[-3000:])
        check_hidden(said, WRONG)


if __name__ == "__main__":
    sys.exit(tap.run_tests(launch.beside_each_other(globals(), 3)))
