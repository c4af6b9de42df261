#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The player page in headless Chromium: a recording that is killed, restarted and still grows; one with a segment that is missing."""
import contextlib
import datetime
import glob
import http.client
import importlib.util
import json
import os
import re
import shutil
import sys
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "common")]
import browser  # noqa: E402
import launch  # noqa: E402
import tap  # noqa: E402


def load_serve():
    """The player's own server; tests/common has another of that name."""
    spec = importlib.util.spec_from_file_location("player_serve", os.path.join(HERE, "..", "..", "examples", "player", "serve.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


serve = load_serve()

HLS_JS = os.environ.get("AMS_HLS_JS") or os.path.join(tap.NODE_MODULES, "hls.js", "dist", "hls.min.js")
AV = (launch.LIVE + "amshlssink name=h target-duration=1 location=cam/%05d.ts playlist-location=cam.m3u8 "
    "audiotestsrc is-live=true wave=ticks ! audioconvert ! avenc_aac ! h.")


class Shared:
    """One recording and one page for the tests, which go on where the one before ended."""
    folder = server = page = recorder = None

    @property
    def playlist(self):
        return os.path.join(self.folder, "cam.m3u8")

    def read(self):
        try:
            with open(self.playlist, encoding="utf-8") as file:
                return file.read()
        except OSError:
            return ""

    def segments(self):
        return self.read().count("#EXTINF")

    def dates(self):
        return [parse_date(text) for text in re.findall("#EXT-X-PROGRAM-DATE-TIME:(.*)", self.read())]

    def record(self, segments):
        """Until there are so many more."""
        before = self.segments()
        self.recorder = launch.Launch(AV.replace("key-int-max=30", "key-int-max=15"), self.folder).__enter__()
        launch.wait_until(lambda: self.segments() >= before + segments, f"{segments} segments more")


SHARED = Shared()


def parse_date(text):
    """Seconds since 1970."""
    return datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00")).timestamp()


def state():
    return json.loads(SHARED.page.eval("""(v => JSON.stringify({time: v.currentTime, paused: v.paused, seeking: v.seeking, ready: v.readyState,
        frames: v.getVideoPlaybackQuality().totalVideoFrames, clock: document.getElementById('clock').getAttribute('datetime'),
        message: document.getElementById('message').textContent, state: document.getElementById('state').textContent,
        title: document.getElementById('title').textContent, summary: document.getElementById('summary').textContent}))
        (document.getElementById('video'))"""))


def go_to(date):
    """Types a date into the field, in UTC, and goes there."""
    text = datetime.datetime.fromtimestamp(date, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    SHARED.page.eval("(z => { z.value = 'utc'; z.dispatchEvent(new Event('change')) })(document.getElementById('zone'))")
    SHARED.page.eval(f"document.getElementById('jump-date').value = {json.dumps(text)}")
    SHARED.page.eval("document.getElementById('jump').requestSubmit()")


def events():
    return SHARED.page.eval("[...document.querySelectorAll('#events li')].map(row => [row.className, row.innerText])")


def clock_is_near(date, what):
    """The clock shows that date, and a picture was decoded there."""
    def near():
        now = state()
        return now["ready"] >= 2 and not now["seeking"] and now["clock"] and abs(parse_date(now["clock"]) - date) < 0.5 and now
    SHARED.page.eval("document.getElementById('video').pause()")
    return launch.wait_until(near, lambda: f"{what}: {state()}, not {date}")


def test_recording_from_the_list_plays():
    SHARED.record(3)
    SHARED.page.go(SHARED.server.url())
    SHARED.page.wait_for("document.querySelectorAll('#list li').length === 1", "the recording is in the list")
    SHARED.page.click("#list a")
    first = launch.wait_until(lambda: state()["frames"] > 5 and state(), "it plays")
    tap.check(first["title"] == "cam" and first["state"] == "Recording", first)
    launch.wait_until(lambda: state()["time"] > first["time"] + 0.5, "the time goes on")
    tap.check(not SHARED.page.errors, SHARED.page.errors)


def test_segments_appear_as_they_arrive():
    shown = SHARED.page.eval("parseInt(document.getElementById('summary').textContent.match(/(\\d+) segment/)[1])")
    SHARED.page.wait_for(f"parseInt(document.getElementById('summary').textContent.match(/(\\d+) segment/)[1]) > {shown + 1}", "new segments without a reload")


def test_clock_is_that_of_the_recording():
    SHARED.page.eval("document.getElementById('video').pause()")
    now = launch.wait_until(lambda: state()["clock"] and not state()["seeking"] and state(), "a date")
    begun = SHARED.dates()[0]
    tap.check(abs(parse_date(now["clock"]) - (begun + now["time"])) < 0.5, f"{now} and {SHARED.read()}")


def test_seek_crosses_the_discontinuity_of_a_restart():
    SHARED.recorder.kill()
    SHARED.record(4)
    launch.wait_until(lambda: SHARED.read().count("#EXT-X-DISCONTINUITY\n") == 1, "the restart is a discontinuity")
    SHARED.page.wait_for("document.querySelectorAll('#events .joined, #events .stopped').length === 1", "the restart is told")
    dates = SHARED.dates()
    resumed = parse_date(re.search(r"#EXT-X-DISCONTINUITY\n(?:#(?!EXT-X-PROGRAM).*\n)*#EXT-X-PROGRAM-DATE-TIME:(.*)", SHARED.read()).group(1))
    go_to(resumed + 1)
    clock_is_near(resumed + 1, "it plays behind the restart")
    go_to(dates[0] + 1)
    clock_is_near(dates[0] + 1, "it plays in front of it again")
    SHARED.page.eval("document.getElementById('video').play()")
    tap.check(not state()["message"], state())


def test_time_in_which_nothing_was_recorded_is_said():
    # On a busy machine the restart before took so long that it is told as a hole, too.
    told = SHARED.page.eval("document.querySelectorAll('#events .stopped').length")
    SHARED.recorder.kill()
    # What had come in until now is listed at the next start; behind it is the hole.
    end = time.time()
    launch.wait_until(lambda: time.time() > end + 4, "nothing is recorded for some seconds")
    SHARED.record(2)
    SHARED.page.wait_for(f"document.querySelectorAll('#events .stopped').length === {told + 1}", "the hole is told")
    resumed = next(date for date in SHARED.dates() if date > end + 3)
    go_to(resumed - 1.5)
    launch.wait_until(lambda: "Nothing was recorded at" in state()["message"], "it says that there is nothing")
    clock_is_near(resumed, "it is where it goes on")


def test_link_with_a_date_goes_there():
    date = SHARED.dates()[0] + 1
    SHARED.page.go(SHARED.server.url() + "?" + urllib.parse.urlencode({"src": "files/cam.m3u8", "t": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(date))}))
    clock_is_near(int(date), "it opens at the date")


def test_click_on_the_timeline_seeks():
    SHARED.page.click("#detail", x=0.05)
    early = launch.wait_until(lambda: not state()["seeking"] and state(), "it seeks")["time"]
    SHARED.page.click("#detail", x=0.9)
    launch.wait_until(lambda: not state()["seeking"] and state()["time"] > early + 2, "it seeks to the right")
    SHARED.page.hover("#detail", 0.4)
    SHARED.page.wait_for("!document.getElementById('tip').hidden && /\\.ts/.test(document.getElementById('tip').innerText)", "the tip names the segment")


def test_screens_of_all_kinds_can_show_it():
    """AMS_SCREENSHOTS names a folder to keep them in."""
    folder = os.environ.get("AMS_SCREENSHOTS", SHARED.folder)
    for name, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("phone", 390, "light"), ("phone-dark", 390, "dark"), ("wide", 2560, "light")):
        SHARED.page.scheme(scheme)
        SHARED.page.resize(width, 1000, mobile=width < 500)
        SHARED.page.wait_for(f"document.documentElement.scrollWidth <= {width}", f"nothing is wider than {width} px")
        SHARED.page.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        SHARED.page.screenshot(os.path.join(folder, f"player-{name}.png"))
        tap.check(os.path.getsize(os.path.join(folder, f"player-{name}.png")) > 10000, name)
    SHARED.page.scheme("light")
    SHARED.page.resize(1280, 1000)


def test_recording_that_ends_is_said():
    SHARED.recorder.stop()
    SHARED.page.wait_for("document.getElementById('state').textContent === 'Ended'", "the end is shown")


def test_missing_segment_is_on_the_timeline_and_stepped_over():
    names = [os.path.basename(path) for path in sorted(glob.glob(os.path.join(SHARED.folder, "cam", "*.ts")))]
    text = SHARED.read().replace(f"cam/{names[1]}", f"#EXT-X-GAP\ncam/{names[1]}", 1)
    text = re.sub(r"(#EXTINF:[^\n]*\n)#EXT-X-GAP\n", r"#EXT-X-GAP\n\1", text)
    with open(os.path.join(SHARED.folder, "gap.m3u8"), "w", encoding="utf-8") as file:
        file.write(text.replace("#EXT-X-VERSION:3", "#EXT-X-VERSION:8"))
    SHARED.page.go(SHARED.server.url() + "?src=files/gap.m3u8")
    SHARED.page.wait_for("document.querySelectorAll('#events .missing').length === 1", "what is missing is told")
    dates = SHARED.dates()
    go_to((dates[1] + dates[2]) / 2)
    launch.wait_until(lambda: "Nothing was recorded" in state()["message"], "it says so")
    clock_is_near(dates[2], "it is behind what is missing")


def delete_segments(name, *indices):
    """Opens a copy of the recording, some of whose segments somebody has deleted. The dates at which its segments begin."""
    folder = os.path.join(SHARED.folder, name)
    shutil.copytree(os.path.join(SHARED.folder, "cam"), folder)
    with open(folder + ".m3u8", "w", encoding="utf-8") as file:
        file.write(SHARED.read().replace("cam/", name + "/"))
    names = re.findall(r"^cam/(.*)", SHARED.read(), re.M)
    for index in indices:
        os.unlink(os.path.join(folder, names[index]))
    SHARED.page.go(SHARED.server.url() + f"?src=files/{name}.m3u8")
    return SHARED.dates(), names


def told(text):
    """What is said, when it has that."""
    def message():
        said = state()["message"]
        return text in said and said
    return launch.wait_until(message, f"it says “{text}”")


def plays_on_from(date, what):
    def plays():
        now = state()
        return now["clock"] and parse_date(now["clock"]) > date + 0.2 and not now["seeking"]
    launch.wait_until(plays, what)
    SHARED.page.wait_for("document.getElementById('spinner').hidden", "it does not spin")


def test_segments_that_somebody_deleted_are_said_and_skipped():
    dates, names = delete_segments("gone", 1, 2)
    said = told("not there any more")
    for word in (names[1], names[2], "HTTP 404", "(2, "):
        tap.check(word in said, said)
    plays_on_from(dates[3], "it plays on behind what is gone")
    tap.check(["missing", True] in [[kind, "not there any more" in text] for kind, text in events()], events())
    go_to((dates[1] + dates[2]) / 2)
    launch.wait_until(lambda: "Nothing was recorded" in state()["message"], "it says so when it is asked for")
    clock_is_near(dates[3], "it is behind what is gone")
    tap.check(not SHARED.page.errors, SHARED.page.errors)


def test_first_segments_that_somebody_deleted_are_skipped():
    dates, names = delete_segments("first", 0, 1)
    said = told("not there any more")
    tap.check(names[0] in said and names[1] in said, said)
    plays_on_from(dates[2], "it begins with what is there")


def test_last_segment_that_somebody_deleted_is_said_and_not_waited_for():
    dates, names = delete_segments("last", -1)
    SHARED.page.wait_for("document.getElementById('clock').getAttribute('datetime')", "it is open")
    SHARED.page.eval("document.getElementById('video').pause()")
    go_to(dates[-1] - 0.8)
    said = told("not there any more")
    tap.check(names[-1] in said and "Nothing follows" in said, said)
    SHARED.page.eval("document.getElementById('video').play()")
    told("this is the last there is")
    launch.wait_until(lambda: state()["paused"], "it stops at the end of what is there")
    SHARED.page.wait_for("document.getElementById('spinner').hidden", "it does not spin")


def test_recording_of_which_nothing_is_left_is_said():
    delete_segments("nothing", *range(SHARED.segments()))
    launch.wait_until(lambda: "Nothing of this recording is there" in state()["message"], "it is said")


def write_days(days):
    """A recording of some days, in segments of an hour: only its playlist."""
    begun = datetime.datetime(2026, 3, 2, 15, 30, tzinfo=datetime.timezone.utc)
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:3600", "#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD"]
    for hour in range(24 * days):
        date = (begun + datetime.timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        lines += [f"#EXT-X-PROGRAM-DATE-TIME:{date}", "#EXTINF:3600.0,", f"days/{hour}.ts"]
    with open(os.path.join(SHARED.folder, "days.m3u8"), "w", encoding="utf-8") as file:
        file.write("\n".join([*lines, "#EXT-X-ENDLIST", ""]))


def written_on_the_axis():
    """The texts that are drawn, once."""
    return SHARED.page.eval("""new Promise(done => {
        const texts = [], draw = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, x, y) { texts.push(text); draw.call(this, text, x, y); };
        document.getElementById('zoom-all').click();
        requestAnimationFrame(() => requestAnimationFrame(() => { CanvasRenderingContext2D.prototype.fillText = draw; done(texts); }));
      })""")


def test_axis_over_several_days_says_the_days():
    folder = os.environ.get("AMS_SCREENSHOTS", SHARED.folder)
    write_days(4)
    SHARED.page.go(SHARED.server.url() + "?src=files/days.m3u8")
    SHARED.page.wait_for("/in 96 segments/.test(document.getElementById('summary').textContent)", "it is open")
    SHARED.page.eval("(z => { z.value = 'utc'; z.dispatchEvent(new Event('change')) })(document.getElementById('zone'))")
    for width, wanted in ((390, 3), (1280, 5), (2560, 5)):
        for scheme in ("light", "dark"):
            SHARED.page.scheme(scheme)
            SHARED.page.resize(width, 1000, mobile=width < 500)
            texts = written_on_the_axis()
            days = [text for text in texts if re.fullmatch(r"2026-03-0[2-6]", text)]
            tap.check(len(set(days)) >= wanted, f"{width} px: {texts}")
            SHARED.page.screenshot(os.path.join(folder, f"player-days-{width}-{scheme}.png"))
    SHARED.page.scheme("light")
    SHARED.page.resize(1280, 1000)


def test_list_is_by_name_and_does_not_jump():
    for name in ("list/cam10", "list/cam2", "list/Cam1"):
        os.makedirs(os.path.join(SHARED.folder, "list"), exist_ok=True)
        with open(os.path.join(SHARED.folder, name + ".m3u8"), "w", encoding="utf-8") as file:
            file.write(SHARED.read())
    shown = "[...document.querySelectorAll('#list li span')].map(e => e.textContent).filter(name => name.startsWith('list/'))"
    wanted = ["list/Cam1", "list/cam2", "list/cam10"]
    SHARED.page.go(SHARED.server.url())
    SHARED.page.wait_for(f"({shown}).length === 3", "all three are listed")
    tap.check(SHARED.page.eval(shown) == wanted, SHARED.page.eval(shown))
    looks = "performance.getEntriesByName(new URL('recordings.json', location).href).length"
    before = SHARED.page.eval(looks)
    os.utime(os.path.join(SHARED.folder, "list/cam10.m3u8"))
    SHARED.page.wait_for(f"{looks} > {before} + 1", "it has looked again")
    tap.check(SHARED.page.eval(shown) == wanted, SHARED.page.eval(shown))
    shutil.rmtree(os.path.join(SHARED.folder, "list"))


def test_playlist_that_is_not_there_is_one_sentence():
    SHARED.page.go(SHARED.server.url() + "?src=files/none.m3u8")
    said = launch.wait_until(lambda: state()["message"], "it is said")
    tap.check("/files/none.m3u8 is not there (HTTP 404)" in said, said)
    with open(os.path.join(SHARED.folder, "none.m3u8"), "w", encoding="utf-8") as file:
        file.write(SHARED.read())
    launch.wait_until(lambda: not state()["message"] and state()["summary"], "it is tried again, and plays")


def ask(path, **headers):
    host, port = SHARED.server.server_address[:2]
    connection = http.client.HTTPConnection(host, port, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    with contextlib.closing(connection):
        return answer.status, dict(answer.getheaders()), answer.read()


def test_server_gives_nothing_but_recordings():
    with open(os.path.join(SHARED.folder, ".hidden.m3u8"), "w", encoding="utf-8") as file:
        file.write("#EXTM3U\n")
    os.symlink("/etc/passwd", os.path.join(SHARED.folder, "link.ts"))
    for path in ("/files/../serve.py", "/files/%2e%2e/x", "/files/.hidden.m3u8", "/files/link.ts", "/files//etc/passwd", "/files/", "/serve.py", "/files/%00"):
        tap.check(ask(path)[0] == 404, path)
    tap.check(ask("/", Host="evil.example")[0] == 403, "another name")
    name = sorted(os.listdir(os.path.join(SHARED.folder, "cam")))[0]
    status, headers, body = ask(f"/files/cam/{name}", Range="bytes=188-375")
    tap.check(status == 206 and len(body) == 188 and body[:1] == b"G" and headers["Content-Type"] == "video/mp2t", (status, headers))
    status, headers, _ = ask("/files/cam.m3u8")
    tap.check(status == 200 and headers["Content-Type"] == "application/vnd.apple.mpegurl" and headers["Cache-Control"] == "no-cache", headers)
    listed = json.loads(ask("/recordings.json")[2])["recordings"]
    tap.check({entry["name"] for entry in listed} == {"cam", "days", "first", "gap", "gone", "last", "none", "nothing"}, listed)


def main():
    with tap.folder() as folder, contextlib.ExitStack() as stack:
        SHARED.folder = folder
        try:
            tap.have_element()
            if not os.path.exists(HLS_JS):
                raise tap.Skip("hls.js is not there: tools/test installs it")
            SHARED.page = stack.enter_context(browser.Browser())
        except tap.Skip as reason:
            print(f"1..0 # SKIP {reason}")
            return 0
        SHARED.server = serve.Server(folder, hls=HLS_JS)
        threading.Thread(target=SHARED.server.serve_forever, daemon=True).start()
        try:
            return tap.run_tests(globals())
        finally:
            if SHARED.recorder and SHARED.recorder.process.poll() is None:
                SHARED.recorder.kill()
            SHARED.server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
