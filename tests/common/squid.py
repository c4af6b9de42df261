# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Squid as a proxy that wants to know who asks: its user and password are USER and PASSWORD.

    with squid.Squid(folder) as proxy:
        … proxy.address(), proxy.url(), proxy.requests()
"""
import grp
import hashlib
import os
import pwd
import re
import urllib.parse

import servers
import tap

USER = "cam@era"
PASSWORD = "p@ss:w/o%rd"
HELPERS = "/usr/lib/squid"
REALM = "proxy"


class Squid(servers.Server):
    """Options: digest (Digest in place of Basic), open (no password), closed (every request is refused),
    port (once it was chosen)."""
    name = "squid"
    program = "/usr/sbin/squid"
    sites = ("proxy",)

    def require(self):
        super().require()
        tap.need("htpasswd")

    def authentication(self):
        path = os.path.join(self.folder, "users")
        if self.options.get("open"):
            return ["http_access allow all"]
        if self.options.get("closed"):
            return ["http_access deny all"]
        if self.options.get("digest"):
            digest = hashlib.md5(f"{USER}:{REALM}:{PASSWORD}".encode()).hexdigest()
            servers.write(path, f"{USER}:{REALM}:{digest}\n")
            helper = f"auth_param digest program {HELPERS}/digest_file_auth -c {path}"
        else:
            tap.run(["htpasswd", "-bcm", path, USER, PASSWORD])
            os.chmod(path, 0o644)
            helper = f"auth_param basic program {HELPERS}/basic_ncsa_auth {path}"
        kind = "digest" if self.options.get("digest") else "basic"
        return [helper, f"auth_param {kind} realm {REALM}", f"auth_param {kind} children 2", "acl known proxy_auth REQUIRED",
            "http_access allow known", "http_access deny all"]

    def configure(self):
        if os.getuid() == 0:
            os.chown(self.folder, pwd.getpwnam("proxy").pw_uid, grp.getgrnam("proxy").gr_gid)
        servers.write(os.path.join(self.folder, "squid.conf"), "\n".join([
            f"http_port {self.options.get('address', '127.0.0.1')}:{self.ports['proxy']}",
            "pid_filename none", "cache deny all", "cache_mem 8 MB", "memory_cache_shared off", "visible_hostname localhost",
            f"cache_log {self.log}", f"access_log stdio:{self.folder}/access.log", "logfile_rotate 0", "buffered_logs off",
            f"coredump_dir {self.folder}", "shutdown_lifetime 0 seconds", "pinger_enable off", "connect_timeout 5 seconds",
            "hosts_file /etc/hosts", *self.authentication(), ""]))

    def command(self):
        return [self.program, "-N", "-f", os.path.join(self.folder, "squid.conf")]

    def address(self):
        return f"127.0.0.1:{self.ports['proxy']}"

    def url(self, password=PASSWORD):  # pylint: disable=arguments-differ
        """With the user and a password, percent-encoded."""
        return f"http://{urllib.parse.quote(USER, safe='')}:{urllib.parse.quote(password, safe='')}@{self.address()}"

    def requests(self):
        """(status, method, what was asked for, user) of each that has ended, in order."""
        path = os.path.join(self.folder, "access.log")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as log:
            found = re.findall(r"^\S+ +\S+ \S+ \S+/(\d+) \d+ ([A-Z]+) (\S+) (\S+)", log.read(), re.M)
        return [(int(status), method, what, urllib.parse.unquote(user)) for status, method, what, user in found]

    def passed(self, method):
        """How many requests of that method it let through, each by its user."""
        return sum(status // 100 == 2 and m == method and user == USER for status, m, _, user in self.requests())
