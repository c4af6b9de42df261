#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Instructions that a recording takes: those of the row of tools/bench core, with its limit."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import core  # noqa: E402
import tap  # noqa: E402

MOST = 80e6
# What makes each allocation dearer than it is.
DEARER = ("MALLOC_PERTURB_", "G_SLICE")


def test_a_minute_takes_at_most_80_million_instructions():
    tap.need("valgrind", "ffmpeg", "gst-launch-1.0")
    environment = {name: value for name, value in os.environ.items() if name not in DEARER}
    # The clip stays there for the next time.
    folder = os.path.join(os.environ["G_TEST_BUILDDIR"], "cost")
    with tap.folder() as out:
        own, parse = core.instructions(folder, out, environment)
    tap.note(f"{(own - parse) / 1e6:.1f} million, beside {parse / 1e6:.1f} of demux and parse")
    tap.check(own - parse <= MOST, f"{(own - parse) / 1e6:.1f} million instructions for 60 s; see callgrind_annotate {folder}/callgrind.out")


if __name__ == "__main__":
    sys.exit(tap.run_tests(globals()))
