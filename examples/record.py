#!/usr/bin/python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recorder in Python: a test picture and tone become rec/cam1-%05d.ts and rec/cam1.m3u8, until
Ctrl-C or for so many seconds as the first argument says. Run it again to continue the recording."""
import signal
import sys

import gi
gi.require_version('Gst', '1.0')
from gi.repository import GLib, Gst

PIPELINE = '''
videotestsrc is-live=true ! x264enc tune=zerolatency key-int-max=60 !
  amshlssink name=h location=rec/cam1-%05d.ts playlist-location=rec/cam1.m3u8
audiotestsrc is-live=true ! avenc_aac ! h.
'''


def main():
    Gst.init(None)
    pipeline = Gst.parse_launch(PIPELINE)
    loop = GLib.MainLoop()
    failed = []

    def on_message(_bus, message):
        structure = message.get_structure()
        if message.type == Gst.MessageType.ERROR:
            failed.append(message.parse_error()[0].message)
            loop.quit()
        elif message.type == Gst.MessageType.WARNING:
            print('warning:', message.parse_warning()[0].message, file=sys.stderr)
        elif message.type == Gst.MessageType.EOS:
            loop.quit()
        elif structure and structure.get_name() == 'hls-segment-added':
            print(structure.get_value('location'), structure.get_value('duration') / Gst.SECOND, 's', flush=True)

    def stop(*_):  # EOS, not a state change: the recording ends when all of it is written
        pipeline.send_event(Gst.Event.new_eos())

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect('message', on_message)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, stop)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, stop)
    if len(sys.argv) > 1:
        GLib.timeout_add_seconds(int(sys.argv[1]), stop)

    pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    pipeline.set_state(Gst.State.NULL)
    sys.exit(failed[0] if failed else 0)


if __name__ == '__main__':
    main()
