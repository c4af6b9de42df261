#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two recorders, each on a machine of its own, and one place at a server: nginx, Apache and Ceph's gateway."""
import contextlib
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import launch  # noqa: E402
import rgw  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402
import tscheck  # noqa: E402

HLS = "amshlssink name=h location=stream123_%05d.ts playlist-location=stream123.m3u8 target-duration=1 write-files=never "
SPOOL = "spool-dir=spool "
PLAYLIST = "stream123.m3u8"


class Folder:
    """A folder of nginx or Apache."""

    def __init__(self, server):
        self.server, self.env = server, {}

    def url(self):
        return self.server.url("/hls-stream/" + PLAYLIST)

    def put(self, more=SPOOL):
        return f"! amshttpput name=put location={self.server.url('/hls-stream/')} create-collections=true {more}"

    def files(self):
        return launch.files_in(self.server.path("hls-stream"))


class Bucket:
    """A bucket of Ceph's gateway."""

    def __init__(self, server):
        self.bucket = server.bucket("rec", server.ceph.user("cam"), public=True)
        self.env = self.bucket.user.environment()

    def url(self):
        return self.bucket.url("rec/" + PLAYLIST)

    def put(self, more=SPOOL):
        endpoint = self.bucket.server.endpoint("plain")
        return f"! amss3put name=put bucket={self.bucket.name} key-prefix=rec/ endpoint={endpoint} {more}"

    def files(self):
        return self.bucket.objects("rec/")


@contextlib.contextmanager
def nginx(folder):
    with servers.Nginx(folder) as server:
        yield Folder(server)


@contextlib.contextmanager
def apache(folder):
    with servers.Apache(folder) as server:
        yield Folder(server)


@contextlib.contextmanager
def ceph(folder):
    with rgw.Ceph(folder) as cluster, rgw.Rgw(cluster) as server:
        yield Bucket(server)


class Pods:
    """Recorders of one recording, each with a folder of its own."""

    def __init__(self, folder, place):
        self.folder, self.place = folder, place

    def path(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path, exist_ok=True)
        return path

    def start(self, name, hls="", put=SPOOL):
        return launch.Launch(launch.LIVE + HLS + hls + self.place.put(put), self.path(name), "-m", env=self.place.env)

    def spooled(self, name):
        """Segments in the spool, by their bytes."""
        found = launch.files_in(os.path.join(self.path(name), "spool")) if os.path.exists(os.path.join(self.path(name), "spool")) else {}
        return {data for data in found.values() if data[:1] == b"G"}


def announced(said):
    """What hls-segment-added named."""
    return re.findall(r'hls-segment-added, .*?location=\(string\)"?([^",;]+)', said)


def errors(said):
    return re.findall(r"^ERROR: from.*$", said, re.M)


def write(files, folder):
    for name, data in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    return os.path.join(folder, PLAYLIST)


def check_whole(pods, sessions, ended=True):
    """No gap, nothing twice, nothing missing. Returns the report and the files."""
    files = pods.place.files()
    path = write(files, pods.path("fetched"))
    tap.m3u8_check(path)
    report = tscheck.check(path)
    text = files[PLAYLIST].decode()
    tap.check(not report.findings, "\n".join(report.findings) + "\n" + text)
    tap.check("GAP" not in text, text)
    tap.check(("ENDLIST" in text) == ended, text)
    tap.check(len(report.sessions()) == sessions, f"{len(report.sessions())} sessions:\n{text}")
    return report, files


def check_reader(reader):
    problems = reader.finish()
    tap.check(not problems, "\n".join(problems))
    tap.check(reader.versions >= 2, f"the reader saw {reader.versions} versions only")


def check_announced(said, files):
    listed = set(servers.listed(files[PLAYLIST].decode())[2])
    names = [os.path.basename(name) for name in announced(said)]
    tap.check(set(names) <= listed, f"announced {names}, listed {sorted(listed)}")
    return names


def two_at_once(place_of):
    with tap.folder() as folder, place_of(folder) as place:
        pods = Pods(folder, place)
        reader = servers.PollingReader(place.url())
        with pods.start("a") as a, contextlib.ExitStack() as later:
            reader.wait_for_version(2)
            b = later.enter_context(pods.start("b"))
            launch.wait_until(lambda: errors(a.said()) or errors(b.said()), "one of them has an error")
            winner, loser, name = (a, b, "b") if errors(b.said()) else (b, a, "a")
            tap.check(loser.ended() != 0, "the one with an error ends as if it had none")
            seen = reader.looked_at
            reader.wait_for_version(seen + 3)
            winner.stop()
        check_reader(reader)
        # The second one goes on from what the first had listed.
        report, files = check_whole(pods, 1 if winner is a else 2)
        tap.check(not errors(winner.said()), winner.said()[-3000:])
        said = errors(loser.said())
        tap.check(len(said) == 1 and "Another recorder" in loser.said(), loser.said()[-3000:])
        tap.check("ams-file-failed" not in winner.said() + loser.said(), "a file was given up")
        tap.check(check_announced(winner.said(), files), "nothing was announced")
        check_announced(loser.said(), files)
        # What the loser has recorded is in its spool, or was stored before it knew of the other one.
        tap.check(pods.spooled(name), "the spool is empty")
        tap.check(report.playlist.duration >= 3, f"{report.playlist.duration} s")


def replaced(place_of):
    """The old one drains, at a rate that takes some seconds, while the new one starts: that waits."""
    with tap.folder() as folder, place_of(folder) as place:
        pods = Pods(folder, place)
        reader = servers.PollingReader(place.url())
        with pods.start("a") as a:
            reader.wait_for_version(2)
            with pods.start("b", "when-busy=wait ") as b:
                b.wait_for("ams-recording-waiting")
                seen = reader.looked_at
                reader.wait_for_version(seen + 2)
                tap.check("ams-recording-started" not in b.said(), "it has not waited")
                a.stop()
                b.wait_for("ams-recording-started")
                seen = reader.looked_at
                reader.wait_for_version(seen + 2)
                b.stop()
        check_reader(reader)
        _, files = check_whole(pods, 2)
        for pod in (a, b):
            tap.check(not errors(pod.said()) and "ams-file-failed" not in pod.said(), pod.said()[-3000:])
            tap.check(check_announced(pod.said(), files), "nothing was announced")
        listed = servers.listed(files[PLAYLIST].decode())[1]
        names = [n for n in files if n.endswith(".ts")]
        tap.check(sorted(names) == sorted(listed), f"{names} are there, {listed} are listed")
        for name in ("a", "b"):
            tap.check(not pods.spooled(name), f"segments are left in the spool of {name}")


def killed(place_of):
    """The old one is killed: its silence is the sign. A start without when-busy=wait does not wait for that."""
    with tap.folder() as folder, place_of(folder) as place:
        pods = Pods(folder, place)
        reader = servers.PollingReader(place.url())
        with pods.start("a") as a:
            reader.wait_for_version(2)
            with pods.start("b", "when-busy=wait ") as b:
                b.wait_for("ams-recording-waiting")
                a.kill()
                b.wait_for("ams-recording-started")
                seen = reader.looked_at
                reader.wait_for_version(seen + 2)
                b.kill()
        with pods.start("b") as b:
            b.wait_for("ams-recording-started")
            seen = reader.looked_at
            reader.wait_for_version(seen + 2)
            b.stop()
        tap.check("ams-recording-waiting" not in b.said() and not errors(b.said()), b.said()[-3000:])
        check_reader(reader)
        check_whole(pods, 3)


def test_two_at_once_nginx():
    two_at_once(nginx)


def test_two_at_once_apache():
    two_at_once(apache)


def test_two_at_once_ceph():
    two_at_once(ceph)


def test_replaced_nginx():
    replaced(nginx)


def test_replaced_apache():
    replaced(apache)


def test_replaced_ceph():
    replaced(ceph)


def test_killed_nginx():
    killed(nginx)


def test_killed_ceph():
    killed(ceph)


if __name__ == "__main__":
    tap.need("gst-launch-1.0")
    sys.exit(tap.run_tests(launch.beside_each_other(globals(), 3)))
