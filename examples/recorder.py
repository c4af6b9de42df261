#!/usr/bin/python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records a source as HLS. H.264, H.265 and AAC are recorded as they come, all else is encoded anew. A live source that is lost is opened
again, each second, for ever; an EXT-X-DISCONTINUITY marks the gap. Ctrl-C ends the recording, the same command continues it."""
import argparse, gi, os, signal, sys, threading
gi.require_version('Gst', '1.0')
from gi.repository import GLib, Gst
AS_IT_COMES = 'video/x-h264; video/x-h265; audio/mpeg, mpegversion={2, 4}, stream-format={raw, adts}; video/x-raw(ANY); audio/x-raw(ANY)'
ENCODERS = {'video/x-raw': 'videoconvert ! video/x-raw, format=I420 ! x264enc tune=zerolatency speed-preset=veryfast key-int-max=60',
    'audio/x-raw': 'audioconvert ! audioresample ! avenc_aac'}
parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars='@', epilog='@FILE: arguments, one a line, that ps does not show')
parser.add_argument('source', nargs='?', default='testbin://video,is-live=true+audio,is-live=true', help='rtsp:, rtmp:, srt:, udp:, file: … URL')
parser.add_argument('--to', action='append', help="DIR (one), 'https://HOST/FOLDER/ spool-dir=DIR …', 's3://BUCKET/FOLDER/ endpoint=URL …' (any number)")
parser.add_argument('--name', default='stream', help='of the recording')
parser.add_argument('--hls', default='', metavar='PROPERTIES', help="of amshlssink, such as 'target-duration=4'")
args = parser.parse_args()
servers, folders = ([to for to in args.to or ['rec'] if ('://' in to) == remote] for remote in (True, False))
len(folders) > 1 and parser.error('one DIR at most')

def open_source():
    source = Gst.parse_bin_from_description(f'uridecodebin name=from expose-all-streams=false uri="{args.source}" caps="{AS_IT_COMES}"', False)
    source.get_by_name('from').connect('pad-added', on_pad, source)
    source.get_by_name('from').connect('no-more-pads', lambda _from: GLib.idle_add(lambda: [hls.release_request_pad(pad) for pad in hls.sinkpads
        if not ending and not pad.is_linked()] and None))
    sources.append(source)
    pipeline.add(source)
    source.sync_state_with_parent()

def on_pad(_from, pad, source):
    media = pad.query_caps().get_structure(0).get_name()
    encoder = Gst.parse_bin_from_description('watchdog timeout=10000 ! ' + ENCODERS.get(media, 'identity'), True)
    source.add(encoder)
    encoder.link_pads('src', hls, media.split('/')[0])
    encoder.sync_state_with_parent()
    pad.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, lambda _pad, info: GLib.idle_add(lose, source, 'it has ended') and Gst.PadProbeReturn.DROP
        if info.get_event().type == Gst.EventType.EOS else Gst.PadProbeReturn.OK)
    pad.link(encoder.get_static_pad('sink'))

def lose(source, why):
    if source in sources and not ending:
        print('The source is gone:', why, file=sys.stderr)
        sources.remove(source)
        source.set_state(Gst.State.NULL)
        pipeline.remove(source)
        [pad.send_event(event) for pad in hls.sinkpads for event in (Gst.Event.new_flush_start(), Gst.Event.new_flush_stop(False))]  # announces a jump
        end() if args.source.startswith('file:') else GLib.timeout_add_seconds(1, lambda: ending or open_source())

def on_message(_bus, message):
    said = message.get_structure()
    if said and said.has_field('gerror') and any(message.src.has_as_ancestor(element) for element in [hls, *puts]):
        print(said.get_value('gerror').message, file=sys.stderr)
        message.type == Gst.MessageType.ERROR and errors.append(message)
    elif message.type == Gst.MessageType.ERROR and sources and message.src.has_as_ancestor(sources[0]):
        lose(sources[0], said.get_value('gerror').message)
    elif said and said.get_name() == 'hls-segment-added':
        print(said.get_value('location'), f'{hls.props.stats.get_value("duration") / Gst.SECOND:.1f} s',
            *(f'{put.props.stats.get_value("queued-files")} files wait for {put.props.location}' for put in puts), flush=True)
    (errors or message.type == Gst.MessageType.EOS) and loop.quit()

def end():
    ending.append(True)
    return [threading.Thread(target=pad.send_event, args=[Gst.Event.new_eos()]).start() for pad in hls.sinkpads] or loop.quit()

Gst.init(None) or (Gst.Structure, Gst.Caps, Gst.Event)  # PyGObject makes a class at its first use, and two threads at once break it
path = os.path.join(*map(os.path.abspath, folders), args.name)
line = f'amshlssink name=hls location="{path}-%05d.ts" playlist-location="{path}.m3u8" write-files={"always" if folders else "never"} {args.hls}'
line += ''.join(f' tee. ! queue ! {"amss3put" if to.startswith("s3:") else "amshttpput"} location={to}' for to in servers)
pipeline, loop, sources, errors, ending = Gst.parse_launch(f'pipeline.( {line} hls. ! tee name=tee allow-not-linked=true )'), GLib.MainLoop(), [], [], []
hls, puts = pipeline.get_by_name('hls'), [element for element in pipeline.children if 'put' in element.get_factory().name]
[hls.request_pad_simple(media) for media in ('video', 'audio')]  # the recording waits for both, whichever comes first
pipeline.bus.add_signal_watch() or pipeline.bus.connect('message', on_message)
[GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, end) for number in (signal.SIGINT, signal.SIGTERM)]
open_source()
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)
print(*(element.props.stats.to_string() for element in [hls, *puts]), sep='\n')
sys.exit(bool(errors))
