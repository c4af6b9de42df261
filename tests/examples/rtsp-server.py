#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An RTSP camera for tests: rtsp://user:pass@127.0.0.1:PORT/cam, H.264 and a sound: rtsp-server.py PORT [aac|pcmu]. Says "ready" when it
listens; exit code 77: it cannot be run here."""
import sys

try:
    import gi
    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtsp", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtsp, GstRtspServer
except (ImportError, ValueError) as missing:
    print(missing)
    sys.exit(77)

SOUNDS = {
    "aac": "audio/x-raw,rate=48000,channels=2 ! avenc_aac ! rtpmp4gpay name=pay1 pt=97",
    "pcmu": "audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay name=pay1 pt=0",
}
MEDIA = ("( videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=240,framerate=25/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! rtph264pay name=pay0 pt=96 config-interval=-1 "
    "audiotestsrc is-live=true ! {sound} )")


def main():
    Gst.init(None)
    server = GstRtspServer.RTSPServer(service=sys.argv[1], address="127.0.0.1")
    factory = GstRtspServer.RTSPMediaFactory(launch=MEDIA.format(sound=SOUNDS[(sys.argv[2:] or ["aac"])[0]]), shared=True)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    factory.add_role_from_structure(Gst.Structure.new_from_string(
        "user, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"))
    auth = GstRtspServer.RTSPAuth()
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic("user", "pass"), token)
    server.set_auth(auth)
    server.get_mount_points().add_factory("/cam", factory)
    assert GstRtsp and server.attach(None) > 0, "the port is taken"
    print("ready", flush=True)
    GLib.MainLoop().run()


main()
