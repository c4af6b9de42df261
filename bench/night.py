#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A bad night of a recorder: amshls-recorder records a source that drops and comes back to a folder and to nginx, while the network to
nginx refuses, stalls, slows, cuts connections, loses answers and answers 5xx, and nginx itself is killed. Then looks whether all is whole.

    AMS_RECORDER=PROGRAM bench/night.py [--minutes N] [--seed N] [--folder FOLDER]

The plugin is found by the environment. Prints what happened; the exit code is 0 if all is well.
"""
import argparse
import os
import random
import sys
import threading
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir)
sys.path[:0] = [os.path.join(ROOT, *parts) for parts in (["bench"], ["tests", "examples"], ["tests", "common"])]
import chaos  # noqa: E402
import launch  # noqa: E402
import recorder  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402
import test_recorder  # noqa: E402

MODES = ("refuse", "stall", "slow", "cut 0.05", "lost 0.3", "storm 500", "storm 503", "storm 429", "kill")


class Night:
    """Two threads of trouble."""

    def __init__(self, folder, rng):
        self.folder, self.rng = folder, rng
        self.over = threading.Event()
        self.drops, self.faults = 0, {}

    def source(self, line):
        """Each time another process sends."""
        rng = random.Random(self.rng.random())
        while not self.over.is_set():
            with launch.Launch(line, self.folder, name="sender"):
                self.over.wait(rng.uniform(8, 25))
            if not self.over.is_set():
                self.drops += 1
                self.over.wait(rng.uniform(0.5, 12))

    def network(self, proxy, server):
        rng = random.Random(self.rng.random())
        while not self.over.wait(rng.uniform(3, 15)):
            mode = rng.choice(MODES)
            self.faults[mode] = self.faults.get(mode, 0) + 1
            if mode == "kill":
                server.kill()
            else:
                proxy.be(mode)
            self.over.wait(rng.uniform(1, 10))
            if mode == "kill":
                server.start()
            proxy.be("pass")


def live(night, minutes, server, proxy):
    port = test_recorder.udp_port()
    line = test_recorder.SENDER.format(sink=f"udpsink host=127.0.0.1 port={port}")
    arguments = [f"udp://127.0.0.1:{port}", "--to", "rec", "--to", f"http://127.0.0.1:{proxy.port}/rec/", "--stall-timeout=2", "--drain-timeout=60"]
    with recorder.Recorder(arguments, night.folder) as running:
        threads = [threading.Thread(target=night.source, args=[line]), threading.Thread(target=night.network, args=[proxy, server])]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 60 * minutes
        while running.process.poll() is None and time.monotonic() < end:
            night.over.wait(0.5)
        night.over.set()
        for thread in threads:
            thread.join()
        running.tell()
        running.ended(timeout=120)
        return running.events()


def check(night, events, server):
    path = os.path.join(night.folder, "rec", "cam1.m3u8")
    lost = len([e for e in events if e["event"] in ("source-back", "source-interrupted")])
    report = test_recorder.check_recording(path, discontinuities=lost)
    here, there = launch.files_in(os.path.join(night.folder, "rec")), launch.files_in(server.path("rec"))
    wanted = {name: data for name, data in here.items() if not os.path.basename(name).startswith(".")}
    launch.check_same(wanted, there, "the folder and the server")
    entries = report.playlist.entries
    tap.check(len(entries) == len([e for e in events if e["event"] == "segment"]), "segments that were told, and listed")
    longest = max(entry.duration for entry in entries)
    print(f"{len(entries)} segments, {sum(e.duration for e in entries):.0f} s, the longest {longest:.3f} s; the source dropped {night.drops} times, "
        f"{lost} discontinuities; faults at the server: {night.faults}; all of it is whole, and the same in both places")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--folder", help="an empty one, which is kept")
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    with tap.folder() as folder:
        folder = os.path.abspath(args.folder or folder)
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
        night = Night(folder, random.Random(args.seed))
        with servers.Nginx(folder) as server, chaos.Proxy(server.ports["plain"]) as proxy:
            events = live(night, args.minutes, server, proxy)
            check(night, events, server)


if __name__ == "__main__":
    main()
