#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every command of the documentation, run: each page in a folder of its own, its blocks in order, in one environment.

What they are run with: nginx for HTTP, Ceph's gateway for S3, a camera for RTSP. What a page cannot know (ports, hosts,
buckets that other pages use as well) is put in its place before; documents.py says what a page may say of a block.
"""
import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))
import documents  # noqa: E402
import launch  # noqa: E402
import rgw  # noqa: E402
import servers  # noqa: E402
import tap  # noqa: E402

LIMIT = 150  # s, for a block
WORKERS = 4
# Would build, install or take minutes: they must be there and know their options.
LOOKED_AT = r"tools/(?:demo|test|bench|package|soak)\b"
# What is the system's, or needs a build of its own.
NOT_RUN = ("sudo", "apt", "apt-get", "dpkg", "systemctl", "journalctl", "a2enmod", "meson", "ninja", "make", "npm")
STOOD_IN = ("gst-launch-1.0", "gst-play-1.0", "ffplay", "amshls-recorder", "hls-upload")
BUILD = os.path.dirname(os.path.dirname(os.environ.get("GST_PLUGIN_PATH_1_0", tap.SOURCE_ROOT + "/build/gst/ams")))
LOCK = threading.Lock()


class World:
    """Servers that all pages use, each started when the first page needs it."""

    def __init__(self, folder):
        self.folder = folder
        self.ends = contextlib.ExitStack()

    def start(self, name):
        with LOCK:
            return getattr(self, name)

    @functools.cached_property
    def nginx(self):
        return self.ends.enter_context(servers.Nginx(self.folder))

    @functools.cached_property
    def gateway(self):
        ceph = self.ends.enter_context(rgw.Ceph(self.folder))
        return self.ends.enter_context(rgw.Rgw(ceph))

    @functools.cached_property
    def user(self):
        return self.gateway.ceph.user("docs")

    @functools.cached_property
    def camera(self):
        """The port of an RTSP server."""
        process = subprocess.Popen(["/usr/bin/python3", os.path.join(HERE, "camera.py"), "/stream"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.ends.callback(process.wait)
        self.ends.callback(process.kill)
        port = process.stdout.readline().strip()
        if not port:
            said = process.stderr.read()
            raise tap.Skip("gir1.2-gst-rtsp-server-1.0 is not installed") if "GstRtspServer" in said else tap.Failed(said)
        return port


def missing(playlist):
    """Of what a playlist on disk lists, what is not there or empty."""
    with open(playlist, encoding="utf-8") as file:
        _, segments, _ = servers.listed(file.read())
    paths = {uri: os.path.join(os.path.dirname(playlist), uri) for uri in segments if "://" not in uri}
    return [uri for uri, path in paths.items() if not os.path.exists(path) or not os.path.getsize(path)]


class Run:
    """The commands of one page."""

    def __init__(self, world, page):
        self.world, self.page = world, page
        self.name = re.sub(r"[^a-z0-9]+", "-", page.path.lower().removesuffix(".md")).strip("-")
        self.folder = os.path.join(world.folder, "pages", self.name)
        self.state = os.path.join(world.folder, "state", self.name)
        self.bin = os.path.join(self.state, "bin")
        self.background = []
        self.ports = {}
        self.ran, self.skipped, self.looked_at = 0, [], []

    def prepare(self):
        for path in (self.folder, self.bin):
            os.makedirs(path)
        for name in ("tools", "tests", "examples", "docs", "gst", "bench"):
            os.symlink(os.path.join(tap.SOURCE_ROOT, name), os.path.join(self.folder, name))
        os.symlink(BUILD, os.path.join(self.folder, "build"))
        standin = os.path.join(HERE, "standin.py")
        for name in STOOD_IN:
            self.program(name, f'exec {sys.executable} {standin} {name} "$@"')
        for name in NOT_RUN:
            self.program(name, f'echo "standin: not run: {name} $*"')
        self.program("look-at", f'exec {sys.executable} {standin} "$@"')
        with open(os.path.join(self.state, "environment"), "w", encoding="utf-8"):
            pass
        self.remember(self.folder)

    def program(self, name, text):
        path = os.path.join(self.bin, name)
        servers.write(path, f"#!/bin/sh\n{text}\n", 0o755)

    def remember(self, folder):
        with open(os.path.join(self.state, "cwd"), "w", encoding="utf-8") as file:
            file.write(folder)

    def environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AMS_DOCS"))}
        path = os.environ["PATH"]
        return {**kept, "HOME": self.state, "AMS_DOCS_PATH": path, "AMS_DOCS_STATE": self.state, "PATH": f"{self.bin}:{path}", "AWS_EC2_METADATA_DISABLED": "true",
            "AMS_DOCS_RECORDER": os.path.join(BUILD, "examples", "recorder", "amshls-recorder"),
            "AMS_DOCS_HLS_UPLOAD": os.path.join(BUILD, "examples", "hls-upload", "hls-upload")}

    def s3(self):
        """The bucket is of this page; keys are in the environment, as for an element, and in s3cmd's file."""
        gateway, bucket = self.world.start("gateway"), f"rec-{self.name}"
        user = self.world.start("user")
        if not os.path.exists(os.path.join(self.state, ".s3cfg")):
            gateway.bucket(bucket, user)
            host = f"127.0.0.1:{gateway.ports['plain']}"
            servers.write(os.path.join(self.state, ".s3cfg"), f"[default]\naccess_key = {user.access_key}\nsecret_key = {user.secret_key}\n"
                f"host_base = {host}\nhost_bucket = {host}\nuse_https = False\nsignature_v2 = False\n", 0o600)
            with open(os.path.join(self.state, "environment"), "a", encoding="utf-8") as file:
                file.writelines(f"export {name}='{value}'\n" for name, value in user.environment().items())
        return gateway, bucket

    def serves(self):
        """Whether port 8080 is that of hls-upload, and not nginx's."""
        return any(re.search(r"^\s*hls-upload ", b.script()[0], re.M) for b in self.page.blocks)

    def port(self, number):
        if number not in self.ports:
            self.ports[number] = str(servers.free_ports(1)[0])
        return self.ports[number]

    def here(self, text):
        """What a page says, as it is on this machine."""
        if re.search(r"s3://|arn:aws:s3|amss3put|s3cmd|--bucket|:7480", text):
            gateway, bucket = self.s3()
            text = re.sub(r"http://(?:127\.0\.0\.1|localhost):7480", gateway.endpoint(), text)
            text = re.sub(r"(\bbucket=|--bucket |s3://)rec\b", rf"\g<1>{bucket}", text)
            text = re.sub(r"(127\.0\.0\.1:\d+/|arn:aws:s3:::)rec\b", rf"\g<1>{bucket}", text)
        hosts = [r"https?://(?:[\w-]+\.)*example\.(?:com|org)(?::\d+)?/"]
        if self.serves():
            text = re.sub(r"^(\s*hls-upload) (?!--help|--version)", r"\1 --listen 127.0.0.1:8080 ", text, flags=re.M)
        else:
            hosts.append(r"http://(?:127\.0\.0\.1|localhost):8080/")
        if re.search("|".join(hosts), text):
            text = re.sub("|".join(hosts), self.world.start("nginx").url(f"/{self.name}/"), text)
        if "rtsp://" in text:
            text = re.sub(r"rtsp://[\w.:@-]+/[\w./-]*", f"rtsp://127.0.0.1:{self.world.start('camera')}/stream", text)
        text = re.sub(r"(?:(?<=127\.0\.0\.1:)|(?<=localhost:))8[0-9]{3}\b|(?<=serve\.py rec )8[0-9]{3}\b", lambda m: self.port(m[0]), text)
        text = re.sub(r"(?<![\w.])/(?:var/spool|srv|etc/amshls|var/lib/amshls)\b", rf"{self.folder}\g<0>", text)
        return re.sub(rf"^(\s*(?:\w+=\S+\s+)*)({LOOKED_AT})", r"\1look-at \2", text, flags=re.M)

    def run_background(self, block, script, until):
        """Returns the process, which has said that, and a function that returns what it has said."""
        path = os.path.join(self.state, f"background-{block.line}")
        with open(path, "wb") as log:
            process = subprocess.Popen(["bash", "-c", script], env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        self.background.append(process)

        def said():
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read()

        def has_said():
            found = re.search(until, said())
            tap.check(found or process.poll() is None, f"{block.where()} has ended:\n{script}\n{said()[-2000:]}")
            return found
        try:
            launch.wait_until(has_said, f"{block.where()} says “{until}”", timeout=60)
        except tap.Failed as failed:
            raise tap.Failed(f"{failed}\n{said()[-2000:]}") from None
        return process, said

    def run_interrupted(self, block, script, after):
        process, said = self.run_background(block, script, after)
        os.killpg(process.pid, signal.SIGINT)
        launch.wait_until(lambda: process.poll() is not None, f"{block.where()} ends after Ctrl-C", timeout=60)
        tap.check(process.returncode == 0, f"{block.where()} ends with {process.returncode}:\n{script}\n{said()[-4000:]}")

    def run_block(self, block):
        marker = block.marker or ""
        if marker.startswith("skip"):
            tap.check(marker.startswith("skip because "), f"{block.where()}: skip because …")
            self.skipped.append(f"{block.where()}: {marker.removeprefix('skip because ')}")
            return
        if marker.startswith("file "):
            path = os.path.join(self.folder, marker.removeprefix("file ").lstrip("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            servers.write(path, self.here(block.text))
            return
        text, _ = block.script()
        if not text:
            return
        state = self.state
        script = (f"set -e -o pipefail\n. {state}/environment\ncd \"$(cat {state}/cwd)\"\nset -e\n" + self.here(text))
        environment = self.environment()
        if marker.startswith("background until "):
            self.run_background(block, script, marker.removeprefix("background until "))
        elif marker.startswith("interrupt after "):
            self.run_interrupted(block, script, marker.removeprefix("interrupt after "))
        else:
            if marker.startswith("until "):
                environment["AMS_DOCS_UNTIL"] = marker.removeprefix("until ")
            if marker == "fails":
                environment["AMS_DOCS_FAILS"] = "1"
            self.run_script(block, script, environment, marker == "fails")
        self.ran += 1

    def run_script(self, block, script, environment, fails):
        # “a && b” does not end a script when a fails.
        script += "\nams_docs_code=$?\n[ $ams_docs_code -eq 0 ] || exit $ams_docs_code"
        script += f"\nexport -p | grep -vi ' ams_docs_' > {self.state}/environment\npwd > {self.state}/cwd\n"
        process = subprocess.Popen(["bash", "-c", script], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
        try:
            said, _ = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise tap.Failed(f"{block.where()} is not done after {LIMIT} s:\n{process.communicate()[0][-3000:]}") from None
        self.looked_at += re.findall(r"^standin: ((?:not run|only looked at): .*)$", said, re.M)
        if os.environ.get("AMS_DOCS_VERBOSE"):
            tap.note(f"{block.where()}\n{said}")
        tap.check(bool(process.returncode) == fails, f"{block.where()} ends with {process.returncode}:\n{script}\n{said[-4000:]}")

    def check_recordings(self):
        """On the disk and at the HTTP server: what is listed is there."""
        problems = []
        for top in (self.folder, *([self.world.nginx.path(self.name)] if "nginx" in self.world.__dict__ else [])):
            for at, _, names in os.walk(top):
                for name in (n for n in names if n.endswith(".m3u8")):
                    problems += [f"{self.page.path}: {name} lists {uri}, which is not there" for uri in missing(os.path.join(at, name))]
        tap.check(not problems, "\n".join(problems))

    def end(self):
        for process in self.background:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        daemons = os.path.join(self.state, "daemons")
        if os.path.exists(daemons):
            with open(daemons, encoding="utf-8") as file:
                for line in file:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(int(line), signal.SIGKILL)

    def __call__(self):
        tap.have_element()
        self.prepare()
        try:
            for block in self.page.blocks:
                self.run_block(block)
            self.check_recordings()
        finally:
            self.end()
            if not os.environ.get("AMS_KEEP"):
                shutil.rmtree(self.folder, ignore_errors=True)


def block_in(path, language):
    return next(block.text for block in documents.Page(path).blocks if block.language == language)


def with_paths(text, certificates, folder):
    """A server's configuration with files that are there, and a port that is free."""
    paths = ("/srv/media-tmp", "/srv/media", "/var/lib/apache2", "/etc/nginx", "/etc/apache2")
    for path in paths:
        os.makedirs(folder + path)
    text = re.sub("|".join(paths), lambda m: folder + m[0], text)
    text = re.sub(r"/etc/ssl/media\.(?:crt|key)", os.path.join(certificates, "good.pem"), text)
    return re.sub(r"\b443\b", str(servers.free_ports(1)[0]), text)


def test_configuration_of_nginx_is_accepted():
    tap.need("/usr/sbin/nginx")
    with tap.folder() as folder:
        path = os.path.join(folder, "nginx.conf")
        text = with_paths(block_in("docs/amshttpput.md", "nginx"), servers.certificates(folder), folder)
        servers.write(path, f"pid {folder}/pid;\nerror_log {folder}/log;\nevents {{}}\nhttp {{\naccess_log {folder}/access;\n{text}}}\n")
        tap.run(["/usr/sbin/nginx", "-t", "-c", path, "-e", os.path.join(folder, "log")])


def test_configuration_of_apache_is_accepted():
    tap.need("/usr/sbin/apache2")
    with tap.folder() as folder:
        path = os.path.join(folder, "httpd.conf")
        text = with_paths(block_in("docs/amshttpput.md", "apache"), servers.certificates(folder), folder)
        modules = "".join(f"LoadModule {m}_module {servers.APACHE_MODULES}/mod_{m}.so\n" for m in servers.Apache.modules)
        servers.write(path, f"ServerRoot {folder}\nPidFile {folder}/pid\nErrorLog {folder}/log\nDefaultRuntimeDir {folder}\n"
            f"TypesConfig /etc/mime.types\n{modules}Listen 127.0.0.1:{servers.free_ports(1)[0]}\n{text}")
        tap.run(["/usr/sbin/apache2", "-t", "-f", path])


def tests_of(world):
    """A test for each page that has commands."""
    runs = []
    for page in documents.pages():
        if any(b.script()[0] or (b.marker or "").startswith("skip") for b in page.blocks):
            run = Run(world, page)
            run.__name__ = "test_" + run.name.replace("-", "_")
            runs.append(run)
    return runs


def tell(runs):
    sketches = sum(len(b.script()[1]) for page in documents.pages() for b in page.blocks)
    tap.note(f"{sum(r.ran for r in runs)} blocks were run; {sketches} lines are sketches, of which only the properties are looked at")
    for text in sorted({t for r in runs for t in r.looked_at}):
        tap.note(text)
    skipped = [s for r in runs for s in r.skipped]
    tap.note(f"{len(skipped)} blocks were skipped")
    for text in skipped:
        tap.note(f"skipped {text}")


def main():
    with tap.folder() as folder:
        os.chmod(folder, 0o755)
        world = World(folder)
        runs = tests_of(world)
        with world.ends:
            tests = {name: f for name, f in globals().items() if name.startswith("test_")}
            code = tap.run_tests(launch.beside_each_other({**tests, **{r.__name__: r for r in runs}}, WORKERS))
            tell(runs)
    return code


if __name__ == "__main__":
    sys.exit(main())
