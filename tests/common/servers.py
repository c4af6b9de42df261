# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real servers for tests, and a reader that looks at what they serve.

    with servers.Nginx(folder) as server:
        tap.run(["curl", "-sSfT", file, server.url("/cam/1.ts")])
        server.kill()
        server.start()

Each is a child process with a folder and ports of its own on 127.0.0.1; it may be run by root or anybody. All its
sites have the same files, in server.files, and the credentials are USER and PASSWORD:

    plain    no credentials
    basic    Basic
    digest   Digest (Apache only)
    tls      Basic over TLS, by the CA in certificates(folder) + "/ca.pem"
"""
import base64
import grp
import hashlib
import http.client
import os
import pwd
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import tap

USER = "user"
PASSWORD = "pass"
READY_WITHIN = 20  # s
APACHE_MODULES = "/usr/lib/apache2/modules"


def certificates(folder):
    """The folder that make-certs.sh made: the build's, or one in the test's folder."""
    made = os.environ.get("AMS_TEST_CERTIFICATES")
    if made and os.path.exists(os.path.join(made, "ca.pem")):
        return made
    tap.need("openssl")
    made = os.path.join(folder, "certificates")
    if not os.path.exists(os.path.join(made, "ca.pem")):
        tap.run([os.path.join(tap.COMMON, "make-certs.sh"), made])
    return made


def free_ports(count):
    """Ports that nobody had a moment ago, each another."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


class Server:
    """What nginx and Apache have in common. Subclasses have a name, sites, configure() and command()."""
    name = None
    program = None
    sites = ()

    def __init__(self, folder, **options):
        self.folder = os.path.join(folder, self.name)
        self.files = os.path.join(self.folder, "www")
        self.log = os.path.join(self.folder, "error.log")
        self.options = options
        self.process = None
        self.require()
        os.makedirs(self.files)
        os.chmod(folder, 0o755)  # mkdtemp() lets nobody else in, and the server may be another user
        self.certificates = certificates(folder)
        self.ports = {}

    def require(self):
        if not os.path.exists(self.program):
            raise tap.Skip(f"{self.program} is not installed")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def url(self, path="/", site="plain", credentials=False):
        host = f"{USER}:{PASSWORD}@127.0.0.1" if credentials else "127.0.0.1"
        return f"{'https' if site == 'tls' else 'http'}://{host}:{self.ports[site]}{path}"

    def path(self, name):
        """Where a file is that was put as /name."""
        return os.path.join(self.files, name.lstrip("/"))

    def said(self):
        """The end of the error log, and what it said before it had one."""
        texts = []
        for path in (self.log, os.path.join(self.folder, "output")):
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    texts.append(file.read()[-2000:])
        return "\n".join(texts)

    def start(self):
        """The first start chooses ports, and others if they were taken meanwhile; later ones have the same."""
        assert self.process is None
        if self.ports:
            self.run()
            return
        for attempt in range(3):
            self.ports = dict(zip(self.sites, free_ports(len(self.sites))))
            self.configure()
            try:
                self.run()
                return
            except tap.Failed:
                if attempt == 2 or "ddress already in use" not in self.said():
                    raise

    def run(self):
        with open(os.path.join(self.folder, "output"), "ab") as output:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True)
        end = time.monotonic() + READY_WITHIN
        for port in self.ports.values():
            while not self.listens(port):
                if self.process.poll() is not None or time.monotonic() > end:
                    self.kill()
                    raise tap.Failed(f"{self.name} does not start: {self.said()}")
                time.sleep(0.01)

    @staticmethod
    def listens(port):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    def end(self, number):
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass
        try:
            self.process.wait(READY_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.wait_for_group()
        self.process = None

    def wait_for_group(self):
        """Workers may outlive the master, and would keep the ports."""
        end = time.monotonic() + READY_WITHIN
        while time.monotonic() < end:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return
            time.sleep(0.01)
        raise tap.Failed(f"{self.name}: its workers do not end")

    def stop(self):
        self.end(signal.SIGTERM)

    def kill(self):
        self.end(signal.SIGKILL)


class Nginx(Server):
    """nginx-light with dav and dav-ext. Options: max_body (client_max_body_size), create_folders
    (create_full_put_path), http2 (offered with TLS), extra (lines for each site)."""
    name = "nginx"
    program = "/usr/sbin/nginx"
    sites = ("plain", "basic", "tls")

    def require(self):
        super().require()
        if not os.path.exists("/usr/lib/nginx/modules/ngx_http_dav_ext_module.so"):
            raise tap.Skip("libnginx-mod-http-dav-ext is not installed")

    def site(self, name):
        tls = " ssl http2" if self.options.get("http2") else " ssl"
        listen = f"listen 127.0.0.1:{self.ports[name]}{tls if name == 'tls' else ''};"
        lines = [listen, f"root {self.files};", self.options.get("extra", "")]
        if name == "tls":
            pem = os.path.join(self.certificates, "good.pem")
            lines += [f"ssl_certificate {pem};", f"ssl_certificate_key {pem};"]
        if name != "plain":
            lines += ['auth_basic "test";', f"auth_basic_user_file {self.folder}/users;"]
        create = "on" if self.options.get("create_folders", True) else "off"
        lines += ["location / {", "dav_methods PUT DELETE MKCOL COPY MOVE;", "dav_ext_methods PROPFIND OPTIONS;",
            f"create_full_put_path {create};", "dav_access user:rw group:r all:r;", "}"]
        return "server {\n" + "\n".join(lines) + "\n}\n"

    def configure(self):
        write(os.path.join(self.folder, "users"), f"{USER}:{{PLAIN}}{PASSWORD}\n")
        temporary = "".join(f"{what}_temp_path {self.folder}/{what};\n"
            for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        write(os.path.join(self.folder, "nginx.conf"), "\n".join([
            "user root;" if os.getuid() == 0 else "",
            "worker_processes 1;", "daemon off;", f"pid {self.folder}/pid;", f"error_log {self.log} info;",
            "load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;",
            "events { worker_connections 256; }",
            "http {", f"access_log {self.folder}/access.log;", temporary,
            "types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; video/mp4 mp4 m4s; }",
            "default_type application/octet-stream;",
            f"client_max_body_size {self.options.get('max_body', '64m')};",
            "keepalive_timeout 60s;",
            *(self.site(name) for name in self.sites),
            "}", ""]))

    def command(self):
        return [self.program, "-c", os.path.join(self.folder, "nginx.conf"), "-e", self.log]


class Apache(Server):
    """Apache with mod_dav. Options: max_body (LimitRequestBody, bytes), extra (lines for each site)."""
    name = "apache"
    program = "/usr/sbin/apache2"
    sites = ("plain", "basic", "digest", "tls")
    modules = ("mpm_event authn_core authn_file authz_core authz_user auth_basic auth_digest dav dav_fs dav_lock "
        "mime ssl socache_shmcb reqtimeout dir alias").split()

    def require(self):
        super().require()
        tap.need("htpasswd")

    def site(self, name):
        port = self.ports[name]
        lines = [f"Listen 127.0.0.1:{port}", f"<VirtualHost 127.0.0.1:{port}>", f"DocumentRoot {self.files}"]
        if name == "tls":
            pem = os.path.join(self.certificates, "good.pem")
            lines += ["SSLEngine on", f"SSLCertificateFile {pem}", f"SSLCertificateKeyFile {pem}"]
        lines += ["<Location />", "Dav On"]
        if name == "digest":
            lines += ["AuthType Digest", "AuthName test", "AuthDigestProvider file",
                f"AuthUserFile {self.folder}/digest-users", "Require valid-user"]
        elif name != "plain":
            lines += ["AuthType Basic", "AuthName test", f"AuthUserFile {self.folder}/users", "Require valid-user"]
        lines += ["</Location>", self.options.get("extra", ""), "</VirtualHost>"]
        return "\n".join(lines)

    def configure(self):
        tap.run(["htpasswd", "-bcB", os.path.join(self.folder, "users"), USER, PASSWORD])
        digest = hashlib.md5(f"{USER}:test:{PASSWORD}".encode()).hexdigest()
        write(os.path.join(self.folder, "digest-users"), f"{USER}:test:{digest}\n")
        os.makedirs(os.path.join(self.folder, "lock"), exist_ok=True)
        user = []
        if os.getuid() == 0:
            user = ["User www-data", "Group www-data"]
            owner, group = pwd.getpwnam("www-data").pw_uid, grp.getgrnam("www-data").gr_gid
            for path in (self.files, os.path.join(self.folder, "lock")):
                os.chown(path, owner, group)
        write(os.path.join(self.folder, "httpd.conf"), "\n".join([
            f"ServerRoot {self.folder}", f"PidFile {self.folder}/pid", "ServerName localhost",
            f"DefaultRuntimeDir {self.folder}", "Mutex file:" + self.folder, *user,
            *(f"LoadModule {m}_module {APACHE_MODULES}/mod_{m}.so" for m in self.modules),
            "TypesConfig /etc/mime.types", "AddType application/vnd.apple.mpegurl .m3u8", "AddType video/mp2t .ts",
            f"ErrorLog {self.log}", 'LogFormat "%r %>s %I" short', f"DavLockDB {self.folder}/lock/db",
            f"LimitRequestBody {self.options.get('max_body', 67108864)}",
            "KeepAliveTimeout 60", "MaxKeepAliveRequests 0",
            "StartServers 1", "ServerLimit 2", "ThreadsPerChild 25", "MaxRequestWorkers 50", "GracefulShutdownTimeout 1",
            f"<Directory {self.files}>", "Require all granted", "</Directory>",
            *(self.site(name) for name in self.sites), ""]))

    def command(self):
        return [self.program, "-f", os.path.join(self.folder, "httpd.conf"), "-DFOREGROUND"]


def listed(text):
    """The media sequence of a playlist, its segments without gaps, and all of its references, in order."""
    sequence, segments, references, gap = 0, [], [], False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("#EXT-X-MEDIA-SEQUENCE:"):
            sequence = int(line.split(":", 1)[1])
        elif line.startswith("#EXT-X-GAP"):
            gap = True
        elif line and not line.startswith("#"):
            references.append(line)
            if not gap:
                segments.append(line)
            gap = False
    return sequence, segments, references


class PollingReader(threading.Thread):
    """Fetches a playlist over and over; of each new version, at once all that it lists. What a player would have
    suffered is in problems. That the server cannot be reached is none, but counted in unreachable.

    A version ought to list what the last one listed and more; with sliding, segments may leave at the front, and
    only those that the newest version lists must be there."""

    def __init__(self, url, ca=None, user=None, password=None, interval=0.05, sliding=False):
        super().__init__(daemon=True)
        self.url = urllib.parse.urlsplit(url)
        self.context = ssl.create_default_context(cafile=ca) if self.url.scheme == "https" else None
        self.headers = {}
        if user is not None:
            basic = base64.b64encode(f"{user}:{password}".encode()).decode()
            self.headers["Authorization"] = "Basic " + basic
        self.interval, self.sliding = interval, sliding
        self.connection = None
        self.ending = threading.Event()
        self.changed = threading.Condition()
        self.problems, self.versions, self.looked_at, self.unreachable = [], 0, 0, 0
        self.begun = self.done = None  # of the versions
        self.text, self.sequence, self.references = None, 0, []  # of the last whole one
        self.sizes = {}
        self.start()

    def ask(self, method, url, headers=None):
        """Status, headers, body; OSError when there is no whole answer."""
        if self.connection is None:
            if self.context:
                self.connection = http.client.HTTPSConnection(self.url.hostname, self.url.port, timeout=10,
                    context=self.context)
            else:
                self.connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=10)
        path = urllib.parse.urlsplit(urllib.parse.urljoin(self.url.geturl(), url))
        try:
            self.connection.request(method, path.path + ("?" + path.query if path.query else ""),
                headers={**self.headers, **(headers or {})})
            answer = self.connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.connection = None
            raise OSError(str(error)) from error

    def problem(self, text):
        with self.changed:
            self.problems.append(f"version {self.versions}: {text}")

    def is_listed_still(self, segment):
        status, _, body = self.ask("GET", self.url.geturl())
        return status != 200 or segment in listed(body.decode("utf-8", "replace"))[1]

    def look_at_segment(self, segment):
        """New ones are read whole, those seen before are asked for their size."""
        known = self.sizes.get(segment)
        status, headers, body = self.ask("GET" if known is None else "HEAD", segment)
        if status != 200:
            if not self.sliding or self.is_listed_still(segment):
                self.problem(f"{segment} is listed and answers {status}")
            return
        size = len(body) if known is None else int(headers.get("Content-Length", -1))
        if size == 0:
            self.problem(f"{segment} is listed and empty")
        if known is not None and size != known:
            self.problem(f"{segment} had {known} bytes and has {size}")
        self.sizes[segment] = size

    def look_at_order(self, sequence, references):
        if self.text is None:
            return
        gone = sequence - self.sequence
        if gone < 0 or (gone > 0 and not self.sliding):
            self.problem(f"the first segment listed was number {self.sequence}, and is {sequence}")
        elif self.references[gone:] != references[:max(0, len(self.references) - gone)]:
            self.problem("a segment that was listed is so no longer, or by another name")

    def look(self, raw):
        """A version of which a look failed, as the server did, is looked at again."""
        text = raw.decode("utf-8", "replace")
        if text == self.done:
            return
        if text != self.begun:
            self.versions += 1
            self.begun = text
        self.look_at_version(text)
        self.done = text
        with self.changed:
            self.looked_at = self.versions
            self.changed.notify_all()

    def look_at_version(self, text):
        if not text.startswith("#EXTM3U") or not text.endswith("\n"):
            self.problem(f"this is no whole playlist: {text[-60:]!r}")
            return
        sequence, segments, references = listed(text)
        self.look_at_order(sequence, references)
        self.text, self.sequence, self.references = text, sequence, references
        for segment in segments:
            self.look_at_segment(segment)

    def poll(self):
        try:
            status, _, body = self.ask("GET", self.url.geturl())
            if status == 200:
                self.look(body)
            elif self.text is not None and status in (404, 410):
                self.problem(f"the playlist was there and answers {status}")
        except OSError:
            self.unreachable += 1

    def run(self):
        while not self.ending.wait(self.interval):
            self.poll()

    def wait_for_version(self, number, timeout=30):
        """Waits until it and all that it lists was looked at. A version that came and went between two looks is
        not counted."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.looked_at >= number, timeout):
                raise tap.Failed(f"version {number} of the playlist was not seen within {timeout} s")

    def finish(self):
        """Ends the reading, looks at all once more, and returns the problems."""
        self.ending.set()
        self.join()
        self.poll()
        for segment in listed(self.text or "")[1]:
            try:
                self.look_at_segment(segment)
            except OSError as error:
                self.problem(f"{segment} cannot be had at the end: {error}")
        if self.connection:
            self.connection.close()
        return self.problems
