# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real S3 store for tests: Ceph's RADOS Gateway with a tiny cluster in memory.

    with rgw.Ceph(folder) as ceph, rgw.Rgw(ceph) as server:
        user = ceph.user("cam")
        bucket = server.bucket("rec", user)
        bucket.put("a key", b"bytes")
        server.kill()
        server.start()

A cluster (one monitor, one disk) serves any number of gateways, and each can be killed, or have limits, by itself.
All listen on 127.0.0.1, on ports that were free; they may be run by root or anybody. Bucket signs requests by its
own few lines (Signature Version 4), so that what they see does not depend on what is tested.
"""
import contextlib
import datetime
import hashlib
import hmac
import html
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import time
import urllib.parse
import uuid
import xml.etree.ElementTree

import servers
import tap

DOMAIN = "s3.localhost"  # BUCKET.s3.localhost:PORT is a bucket, too
POOLS = (".rgw.root default.rgw.log default.rgw.control default.rgw.meta default.rgw.buckets.index "
    "default.rgw.buckets.data default.rgw.buckets.non-ec").split()
READY_WITHIN = 60  # s
REGION = "us-east-1"

CONFIGURATION = """[global]
fsid = {fsid}
mon host = [v1:127.0.0.1:{port}]
mon initial members = a
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr2 = false
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
run dir = {folder}
admin socket = {folder}/$name.$pid.asok
log file = {folder}/$name.log
crash dir = {folder}
pid file = {folder}/$name.pid
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
mon warn on pool no redundancy = false
mon data avail crit = 1
mon data avail warn = 2
mon osd report timeout = 3600
paxos propose interval = 0.02
paxos min wait = 0.01
[mon.a]
mon data = {folder}/mon
mon cluster log file = {folder}/cluster.log
mon cluster log to syslog = false
[osd.0]
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 1073741824
osd memory target = 1073741824
osd op num shards = 2
osd op num threads per shard = 1
osd class update on start = false
osd crush update on start = false
[client]
rgw dns name = {domain}
rgw thread pool size = 16
rgw enable usage log = false
rgw run sync thread = false
rgw bucket quota ttl = 0
# Else each gateway that was killed keeps every change by the others for half a minute.
rgw cache enabled = false
rgw multipart min part size = 5242880
"""


class User:
    """Keys, and a session token where they are temporary."""

    def __init__(self, name, access_key, secret_key, token=None):
        self.name, self.access_key, self.secret_key, self.token = name, access_key, secret_key, token

    def environment(self):
        """As amss3put and others read it; no other source of credentials is asked."""
        found = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        if self.token:
            found["AWS_SESSION_TOKEN"] = self.token
        return found


class Ceph:
    """The cluster. stop_disk() makes every request hang until continue_disk()."""
    programs = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")

    def __init__(self, folder):
        tap.need(*self.programs)
        self.folder = os.path.join(folder, "ceph")
        os.makedirs(self.folder)
        self.certificates = servers.certificates(folder)
        self.configuration = os.path.join(self.folder, "ceph.conf")
        self.processes = {}
        self.gateways = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def said(self):
        with open(os.path.join(self.folder, "output"), encoding="utf-8", errors="replace") as file:
            return file.read()[-3000:]

    def environment(self):
        return {**os.environ, "CEPH_CONF": self.configuration, "PYTHONWARNINGS": "ignore"}

    def run(self, *command, given=None):
        """Returns what it wrote to its standard output; what it says beside that is in said()."""
        with open(os.path.join(self.folder, "output"), "ab") as output:
            done = subprocess.run(command, input=given, stdin=subprocess.DEVNULL if given is None else None, stdout=subprocess.PIPE,
                stderr=output, timeout=READY_WITHIN, env=self.environment(), check=False)
        tap.check(done.returncode == 0, f"{' '.join(command)}: exit code {done.returncode}\n{self.said()}")
        return done.stdout.decode("utf-8", "replace")

    def tell(self, *lines):
        """What may be told twice: the monitor does not always take it at first. One "ceph" for all, as its start takes
        longer than what it does."""
        end = time.monotonic() + READY_WITHIN
        while True:
            try:
                return self.run("ceph", given="".join(line + "\n" for line in lines).encode())
            except tap.Failed:
                if time.monotonic() > end:
                    raise

    def spawn(self, name, *command):
        with open(os.path.join(self.folder, "output"), "ab") as output:
            self.processes[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, env=self.environment())

    def start(self):
        try:
            self.start_monitor()
            self.start_disk()
        except Exception:
            self.kill()
            raise

    def start_monitor(self):
        for attempt in range(3):
            port = servers.free_ports(1)[0]
            fsid = str(uuid.uuid4())
            servers.write(self.configuration, CONFIGURATION.format(fsid=fsid, port=port, folder=self.folder, domain=DOMAIN))
            monmap = os.path.join(self.folder, "monmap")
            self.run("monmaptool", "--create", "--clobber", "--fsid", fsid, "--addv", "a", f"[v1:127.0.0.1:{port}]", monmap)
            data = os.path.join(self.folder, "mon")
            if not os.path.exists(data):
                os.mkdir(data)
                self.run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap)
            self.spawn("mon", "ceph-mon", "-f", "-i", "a")
            end = time.monotonic() + READY_WITHIN
            while not servers.Server.listens(port):
                if self.processes["mon"].poll() is not None or time.monotonic() > end:
                    break
                time.sleep(0.02)
            else:
                # It tries for 15 s to have a port that somebody else has.
                if "unable to bind" not in self.said():
                    return
            tap.check(attempt < 2, f"ceph-mon does not start: {self.said()}")
            self.end("mon", signal.SIGKILL)
            os.rename(data, f"{data}.{attempt}")

    def start_disk(self):
        disk = str(uuid.uuid4())
        os.mkdir(os.path.join(self.folder, "osd"))
        self.tell(f"osd new {disk} 0", "osd crush add osd.0 1.0 root=default host=localhost")
        self.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk)
        self.spawn("osd", "ceph-osd", "-f", "-i", "0")
        self.tell(*(f"osd pool create {pool} 1 1" for pool in POOLS))
        end = time.monotonic() + READY_WITHIN
        while "1 up" not in self.tell("osd stat"):
            tap.check(self.processes["osd"].poll() is None and time.monotonic() < end, f"ceph-osd does not start: {self.said()}")

    def end(self, name, number):
        process = self.processes.pop(name, None)
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        process.wait()

    def kill(self):
        """What it had is in memory, and gone."""
        for name in list(self.processes):
            self.end(name, signal.SIGKILL)

    def stop_disk(self):
        self.processes["osd"].send_signal(signal.SIGSTOP)

    def continue_disk(self):
        self.processes["osd"].send_signal(signal.SIGCONT)

    def admin(self, *command):
        said = self.run("radosgw-admin", "-n", "client.admin", *command)
        return json.loads(said) if said.startswith(("{", "[")) else said

    def user(self, name):
        """A new one, with keys of its own."""
        made = User(name, f"KEY{name.upper()}", f"Secret/of+{name}")
        self.admin("user", "create", f"--uid={name}", f"--display-name={name}", f"--access-key={made.access_key}",
            f"--secret={made.secret_key}")
        return made

    def suspend(self, user):
        self.admin("user", "suspend", f"--uid={user.name}")

    def enable(self, user):
        self.admin("user", "enable", f"--uid={user.name}")

    def quota(self, user, **limits):
        """Of each bucket of the user: max_objects, max_size (bytes)."""
        named = [f"--{name.replace('_', '-')}={value}" for name, value in limits.items()]
        self.admin("quota", "set", "--quota-scope=bucket", f"--uid={user.name}", *named)
        self.admin("quota", "enable", "--quota-scope=bucket", f"--uid={user.name}")

    def role(self, name, user):
        """One that the user may assume, and that may do all. Returns its ARN."""
        may = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole"],
            "Principal": {"AWS": [f"arn:aws:iam:::user/{user.name}"]}}]}
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": "arn:aws:s3:::*"}]}
        self.admin("role", "create", f"--role-name={name}", "--path=/", f"--assume-role-policy-doc={json.dumps(may)}")
        self.admin("role-policy", "put", f"--role-name={name}", "--policy-name=all", f"--policy-doc={json.dumps(policy)}")
        return f"arn:aws:iam:::role/{name}"


def quote(text):
    return urllib.parse.quote(text, safe="-_.~")


def signature(method, path, query, headers, payload, user, when, service="s3"):
    """The Authorization of Signature Version 4; path is quoted already, query a sorted string of quoted pairs."""
    day, scope = when[:8], f"{when[:8]}/{REGION}/{service}/aws4_request"
    names = ";".join(sorted(headers))
    canonical = "\n".join([method, path, query, *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, payload])
    text = "\n".join(["AWS4-HMAC-SHA256", when, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + user.secret_key).encode()
    for part in (day, REGION, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    found = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return f"AWS4-HMAC-SHA256 Credential={user.access_key}/{scope}, SignedHeaders={names}, Signature={found}"


class Rgw(servers.Server):
    """A gateway. Options: max_put (bytes), sts (session tokens; then a wrong secret answers AccessDenied instead of
    SignatureDoesNotMatch), extra (lines of ceph.conf)."""
    name = "rgw"
    program = "/usr/bin/radosgw"
    sites = ("plain", "tls")

    def __init__(self, ceph, **options):
        self.ceph = ceph
        ceph.gateways += 1
        self.name = f"rgw{ceph.gateways}"
        super().__init__(ceph.folder, **options)
        self.certificates = ceph.certificates
        self.context = ssl.create_default_context(cafile=os.path.join(self.certificates, "ca.pem"))

    def __exit__(self, *_):
        self.kill()  # an orderly end takes a second, and is of no use to anybody

    def endpoint(self, site="plain", host="127.0.0.1"):
        return f"{'https' if site == 'tls' else 'http'}://{host}:{self.ports[site]}"

    def configure(self):
        pem = os.path.join(self.certificates, "good")
        with open(self.ceph.configuration, encoding="utf-8") as file:
            lines = [file.read()]
        lines += [f"[client.{self.name}]", f"rgw data = {self.folder}",
            f"rgw frontends = beast endpoint=127.0.0.1:{self.ports['plain']} ssl_endpoint=127.0.0.1:{self.ports['tls']} "
            f"ssl_certificate={pem}.pem ssl_private_key={pem}.key"]
        if "max_put" in self.options:
            lines.append(f"rgw max put size = {self.options['max_put']}")
        if self.options.get("sts"):
            lines += ["rgw s3 auth use sts = true", "rgw sts key = abcdefghijklmnop", "rgw sts min session duration = 1"]
        servers.write(os.path.join(self.folder, "ceph.conf"), "\n".join([*lines, self.options.get("extra", ""), ""]))

    def command(self):
        return [self.program, "-f", "-n", f"client.{self.name}", "-c", os.path.join(self.folder, "ceph.conf")]

    def ask(self, method, path, query=None, headers=None, body=b"", user=None, service="s3"):
        """Status, headers, body. The path is not quoted yet; without a user the request is not signed."""
        quoted = "/".join(quote(part) for part in path.split("/"))
        query = "&".join(sorted(f"{quote(name)}={quote(value)}" for name, value in (query or {}).items()))
        when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        payload = hashlib.sha256(body).hexdigest()
        sent = {"host": f"127.0.0.1:{self.ports['plain']}", **(headers or {})}
        if user is not None:
            sent.update({"x-amz-date": when, "x-amz-content-sha256": payload})
            if user.token:
                sent["x-amz-security-token"] = user.token
            sent["authorization"] = signature(method, quoted, query, sent, payload, user, when, service)
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["plain"], timeout=30)
        try:
            connection.request(method, quoted + ("?" + query if query else ""), body=body, headers=sent)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def bucket(self, name, user, public=False):
        """A new one. Anybody may read one that is public, from any page."""
        made = Bucket(self, name, user)
        made.do("PUT", "")
        if public:
            made.publish()
        return made

    def session(self, role, user, seconds):
        """Temporary credentials, and when they expire: that of the role's ARN, assumed by the user."""
        body = urllib.parse.urlencode({"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": role,
            "RoleSessionName": "test", "DurationSeconds": seconds}).encode()
        status, _, said = self.ask("POST", "/", headers={"content-type": "application/x-www-form-urlencoded"}, body=body, user=user,
            service="sts")
        tap.check(status == 200, f"AssumeRole answers {status}: {said.decode()}")
        found = {element.tag.rpartition("}")[2]: element.text for element in xml.etree.ElementTree.fromstring(said).iter()}
        return User(user.name, found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]), found["Expiration"]


class Bucket:
    """What is in a bucket, seen with the keys of its owner."""

    def __init__(self, server, name, user):
        self.server, self.name, self.user = server, name, user

    def do(self, method, key, ok=(200, 204), **more):
        status, headers, body = self.server.ask(method, f"/{self.name}" + (f"/{key}" if key else ""), user=self.user, **more)
        tap.check(status in ok, f"{method} {self.name}/{key} answers {status}: {body.decode('utf-8', 'replace')[:500]}")
        return status, headers, body

    def url(self, key="", site="plain"):
        return f"{self.server.endpoint(site)}/{self.name}/{urllib.parse.quote(key)}"

    def publish(self):
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
            "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [f"arn:aws:s3:::{self.name}", f"arn:aws:s3:::{self.name}/*"]}]}
        self.do("PUT", "", query={"policy": ""}, body=json.dumps(policy).encode())
        rules = (b"<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>"
            b"<AllowedHeader>*</AllowedHeader></CORSRule></CORSConfiguration>")
        self.do("PUT", "", query={"cors": ""}, body=rules)

    def put(self, key, data):
        self.do("PUT", key, body=data)

    def get(self, key):
        """None when it is not there."""
        status, _, body = self.do("GET", key, ok=(200, 404))
        return body if status == 200 else None

    def head(self, key):
        """None when it is not there; else the headers."""
        status, headers, _ = self.do("HEAD", key, ok=(200, 404))
        return headers if status == 200 else None

    def remove(self, key):
        self.do("DELETE", key)

    def keys(self, prefix=""):
        found, query = [], {"list-type": "2", "prefix": prefix, "encoding-type": "url"}
        while True:
            _, _, body = self.do("GET", "", query=query)
            text = body.decode()
            found += [urllib.parse.unquote_plus(html.unescape(key)) for key in re.findall(r"<Key>(.*?)</Key>", text)]
            more = re.search(r"<NextContinuationToken>(.*?)</NextContinuationToken>", text)
            if not more:
                return found
            query["continuation-token"] = more.group(1)

    def uploads(self):
        """The keys of uploads of several parts that are under way."""
        _, _, body = self.do("GET", "", query={"uploads": ""})
        return re.findall(r"<Key>(.*?)</Key>", body.decode())

    def parts(self):
        """How many parts there are of uploads under way."""
        _, _, body = self.do("GET", "", query={"uploads": ""})
        found = 0
        for key, number in re.findall(r"<Key>(.*?)</Key><UploadId>(.*?)</UploadId>", body.decode()):
            status, _, body = self.do("GET", key, query={"uploadId": number}, ok=(200, 404))
            found += body.count(b"<PartNumber>") if status == 200 else 0
        return found

    def objects(self, prefix=""):
        """Key (without the prefix) and bytes, as launch.files_in()."""
        found = {key: self.get(key) for key in self.keys(prefix)}
        return {key[len(prefix):]: data for key, data in found.items() if data is not None}

    def fetch(self, folder, prefix=""):
        """All of it, in a folder that tscheck and players can read."""
        for name, data in self.objects(prefix).items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)
        return folder
