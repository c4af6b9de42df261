#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recording that only a server has: the next session learns from the beginnings of two segments where its time stamps end."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import launch  # noqa: E402
import rgw  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402

HLS = "amshlssink name=h location=cam_%05d.ts playlist-location=cam.m3u8 target-duration=1 write-files=never "
SAYS = r"time stamps go on at (\d+):(\d\d):(\d\d\.\d+): the first segment begins at PTS (-?\d+) .* and the last one ends at PTS (-?\d+)"


def check_goes_on(folder, put, env=None):
    """Four seconds, four more, and one of which the start says where it goes on."""
    line = launch.clip(4) + HLS + put
    for _ in range(2):
        launch.run(line, folder, env=env)
    said = launch.run(launch.clip(1) + HLS + put, folder, env={**(env or {}), "GST_DEBUG": "amshlssink:5", "GST_DEBUG_NO_COLOR": "1"})
    found = re.findall(SAYS, said)
    tap.check(len(found) == 1, f"it is said {len(found)} times:\n{said[-3000:]}")
    hours, minutes, seconds, first, end = (float(value) for value in found[0])
    tap.check(first >= 0 and end >= 0, f"a segment was not read: {found[0]}")
    time = hours * 3600 + minutes * 60 + seconds
    tap.check(0 <= time - (first / 90000 + 8) < 0.05, f"{time} s is not just after {first / 90000} s and 8 s: {found[0]}")


def partly_read(server):
    """The segments of which nginx has sent a part, and how much."""
    with open(os.path.join(server.folder, "access.log"), encoding="utf-8") as log:
        return re.findall(r'"GET /rec/(cam_\d+\.ts) HTTP/[\d.]+" 206 (\d+)', log.read())


def test_recording_on_nginx_goes_on():
    with tap.folder() as folder, servers.Nginx(folder) as server:
        check_goes_on(folder, f"! amshttpput location={server.url('/rec/')}")
        part = partly_read(server)
        tap.check(len(part) >= 4, f"what was read in part: {part}")
        tap.check(all(int(size) <= 64 * 1024 for _, size in part), f"too much was read: {part}")


def test_recording_on_apache_goes_on():
    with tap.folder() as folder, servers.Apache(folder) as server:
        check_goes_on(folder, f"! amshttpput create-collections=true location={server.url('/rec/')}")


def test_recording_in_a_bucket_goes_on():
    with tap.folder() as folder:
        ceph = rgw.Ceph(folder)
        try:
            ceph.start()
            gateway = rgw.Rgw(ceph)
            gateway.start()
            try:
                user = ceph.user("cam")
                gateway.bucket("cam", user, public=True)
                check_goes_on(folder, f"! amss3put bucket=cam key-prefix=rec/ endpoint={gateway.endpoint('plain', '127.0.0.1')}", user.environment())
            finally:
                gateway.kill()
        finally:
            ceph.kill()


if __name__ == "__main__":
    sys.exit(tap.run_tests(dict(globals())))
