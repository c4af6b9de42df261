#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plays a playlist, a file or a URL that any page may read, through hls.js in headless Chromium: hlsplay.py PLAYLIST [SECONDS]

Exit code 0 only if the time went on for so many seconds (or to the end of the playlist), frames were decoded and
nothing fatal was reported; 77 where Chromium or hls.js is missing. Prints what the page saw as JSON.
"""
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import serve  # noqa: E402
import tap  # noqa: E402

PAGE = """<!doctype html><meta charset=utf-8><video id=v muted playsinline width=640 height=360></video>
<script src=/__hls.js></script><script>
const R = {errors: [], fragments: 0}, v = document.getElementById('v'), want = %(seconds)s, begun = Date.now();
v.addEventListener('error', () => R.errors.push('media ' + (v.error && v.error.code + ' ' + v.error.message)));
window.addEventListener('error', e => R.errors.push('page ' + e.message));
const h = new Hls({enableWorker: false});
R.version = Hls.version;
h.on(Hls.Events.ERROR, (e, d) => R.errors.push([d.fatal ? 'fatal' : 'passing', d.type, d.details,
    (d.error && d.error.message) || d.reason || '', (d.frag && d.frag.relurl) || ''].join(' ')));
h.on(Hls.Events.FRAG_BUFFERED, () => R.fragments++);
h.on(Hls.Events.LEVEL_LOADED, (e, d) => { R.live = d.details.live; R.duration = d.details.totalduration; });
h.loadSource(%(url)s);
h.attachMedia(v);
h.config.startPosition = 0;
v.play().catch(e => R.errors.push('play ' + e.message));
const timer = setInterval(() => {
  const q = v.getVideoPlaybackQuality();
  Object.assign(R, {time: v.currentTime, ended: v.ended, width: v.videoWidth, height: v.videoHeight,
    frames: q.totalVideoFrames, dropped: q.droppedVideoFrames, audio: v.webkitAudioDecodedByteCount});
  if (v.currentTime >= want || v.ended || R.errors.some(e => /^(fatal|media|page|play)/.test(e)) ||
      Date.now() - begun > (want + 20) * 1000) {
    clearInterval(timer);
    fetch('/__done', {method: 'POST', body: JSON.stringify(R)});
  }
}, 100);
</script>"""


def play(playlist, seconds=5.0):
    """Returns what the page saw, with "ok"; raises tap.Skip where it cannot be run."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    hls_js = os.path.join(tap.NODE_MODULES, "hls.js", "dist", "hls.min.js")
    if not chromium:
        raise tap.Skip("chromium is not installed")
    if not os.path.exists(hls_js):
        raise tap.Skip(f"no hls.js in {tap.NODE_MODULES}: tools/test installs it")
    remote = "://" in playlist
    folder, name = os.path.split(tap.COMMON if remote else os.path.abspath(playlist))
    page = PAGE % {"seconds": json.dumps(seconds), "url": json.dumps(playlist if remote else "/" + name)}
    with open(hls_js, "rb") as f:
        pages = {"/__page": ("text/html; charset=utf-8", page.encode()), "/__hls.js": ("text/javascript", f.read()),
            "/favicon.ico": ("image/png", b"")}
    done = queue.Queue()
    server = serve.server(folder, pages=pages, posted=lambda path, body: done.put(json.loads(body)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    profile = tempfile.mkdtemp(prefix="amshls-chromium-")
    command = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio",
        "--proxy-server=direct://", "--autoplay-policy=no-user-gesture-required", f"--user-data-dir={profile}",
        f"http://127.0.0.1:{server.server_address[1]}/__page"]
    with tempfile.TemporaryFile() as log:
        browser = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            seen = done.get(timeout=seconds + 60)
        except queue.Empty:
            log.seek(0)
            seen = {"errors": ["fatal: the page never answered"], "frames": 0, "time": 0,
                "log": log.read().decode("utf-8", "replace")[-2000:]}
        finally:
            browser.terminate()
            try:
                browser.wait(10)
            except subprocess.TimeoutExpired:
                browser.kill()
                browser.wait()
            server.shutdown()
            server.server_close()
            shutil.rmtree(profile, ignore_errors=True)
    bad = [e for e in seen["errors"] if not e.startswith("passing")]
    seen["ok"] = bool((seen["time"] >= seconds or seen.get("ended")) and seen["frames"] > 0 and not bad)
    return seen


def main():
    try:
        seen = play(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 5.0)
    except tap.Skip as reason:
        print(reason)
        sys.exit(77)
    print(json.dumps(seen, indent=1))
    sys.exit(0 if seen["ok"] else 1)


if __name__ == "__main__":
    main()
