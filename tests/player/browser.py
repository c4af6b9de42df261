# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Headless Chromium, driven through its DevTools protocol over a pair of pipes, so that nothing but Python is needed.

    with browser.Browser() as chromium:
        chromium.go("http://127.0.0.1:8000/")
        chromium.wait_for("document.querySelector('video').currentTime > 1", "it plays")
"""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

import tap

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio", "--hide-scrollbars",
    "--proxy-server=direct://", "--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe"]


class Browser:
    """One page. What it says on its console as an error is in errors."""

    def __init__(self, width=1280, height=1000):
        tap.need("bash")
        self.chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        if not self.chromium:
            raise tap.Skip("chromium is not installed")
        self.size = width, height
        self.lock = threading.Condition()
        self.answers, self.errors, self.last, self.session, self.closed = {}, [], 0, None, False

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="amshls-chromium-")
        to_read, self.to_write = os.pipe()
        self.from_read, from_write = os.pipe()
        command = [self.chromium, *FLAGS, f"--user-data-dir={self.profile}", f"--window-size={self.size[0]},{self.size[1]}", "about:blank"]
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{from_write}', "bash", *command], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, pass_fds=(to_read, from_write), start_new_session=True)
        os.close(to_read)
        os.close(from_write)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        try:
            self.attach()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def attach(self):
        target = next(t for t in self.call("Target.getTargets", page=False)["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", page=False, targetId=target["targetId"], flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Runtime.enable")
        self.resize(*self.size)

    def __exit__(self, kind, error, _):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.to_write)
        self.reader.join(10)
        os.close(self.from_read)
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def read(self):
        """The reader's thread: messages are JSON, each ended by a NUL."""
        rest = b""
        while True:
            data = os.read(self.from_read, 1 << 16)
            with self.lock:
                if not data:
                    self.closed = True
                    self.lock.notify_all()
                    return
                *whole, rest = (rest + data).split(b"\0")
                for message in map(json.loads, whole):
                    if "id" in message:
                        self.answers[message["id"]] = message
                    elif message["method"] == "Runtime.exceptionThrown":
                        details = message["params"]["exceptionDetails"]
                        self.errors.append(details.get("exception", {}).get("description") or details["text"])
                self.lock.notify_all()

    def call(self, method, page=True, timeout=60, **params):
        with self.lock:
            self.last += 1
            number = self.last
            message = {"id": number, "method": method, "params": params}
            if page:
                message["sessionId"] = self.session
            try:
                os.write(self.to_write, json.dumps(message).encode() + b"\0")
            except BrokenPipeError:
                self.closed = True
            done = self.lock.wait_for(lambda: number in self.answers or self.closed, timeout)
            if number not in self.answers:
                self.log.seek(0)
                said = self.log.read().decode("utf-8", "replace")[-2000:]
                raise tap.Failed(f"Chromium {'has ended' if done else 'does not answer'} ({method}):\n{said}")
            answer = self.answers.pop(number)
        tap.check("error" not in answer, f"{method}: {answer.get('error')}")
        return answer["result"]

    def eval(self, expression):
        """The value of an expression in the page; a promise is awaited."""
        found = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True)
        tap.check("exceptionDetails" not in found, f"{expression}: {found.get('exceptionDetails', {}).get('exception', {}).get('description')}")
        return found["result"].get("value")

    def go(self, url):
        self.call("Page.navigate", url=url)
        self.wait_for(f"location.href.startsWith({json.dumps(url.split('#')[0])}) && document.readyState === 'complete'", f"{url} is loaded")

    def wait_for(self, expression, what, timeout=30):
        """What the expression gave at last; what the page shows is said when it does not come."""
        end = time.monotonic() + timeout
        while True:
            found = self.eval(expression)
            if found:
                return found
            if time.monotonic() > end:
                raise tap.Failed(f"not within {timeout} s: {what}\n{self.text('main')}\n" + "\n".join(self.errors))
            time.sleep(0.05)

    def text(self, selector):
        return self.eval(f"document.querySelector({json.dumps(selector)})?.innerText")

    def click(self, selector, x=0.5, y=0.5):
        """A real click at a place in the element's box, seen first."""
        box = self.eval(f"(e => {{ e.scrollIntoView({{block: 'center'}}); const b = e.getBoundingClientRect(); return [b.x, b.y, b.width, b.height] }})"
            f"(document.querySelector({json.dumps(selector)}))")
        at = {"x": box[0] + box[2] * x, "y": box[1] + box[3] * y}
        for kind, buttons in (("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)):
            self.call("Input.dispatchMouseEvent", type=kind, button="left" if kind != "mouseMoved" else "none", buttons=buttons, clickCount=1, **at)

    def hover(self, selector, x, y=0.5):
        box = self.eval(f"(b => [b.x, b.y, b.width, b.height])(document.querySelector({json.dumps(selector)}).getBoundingClientRect())")
        self.call("Input.dispatchMouseEvent", type="mouseMoved", button="none", x=box[0] + box[2] * x, y=box[1] + box[3] * y)

    def key(self, key, code=0):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code or (ord(key.upper()) if len(key) == 1 else 0))

    def resize(self, width, height, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if mobile else 1, mobile=mobile)

    def scheme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def screenshot(self, path, whole=True):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
