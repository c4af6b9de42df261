#!/usr/bin/env python3
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What people install: a release's archive, a prefix, the Debian packages, and these in a clean Debian.

The archive is compiled once, by tools/package; the tests look at, install and use what came of that.
"""
import contextlib
import fcntl
import functools
import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import tap  # noqa: E402
import tscheck  # noqa: E402

VERSION = os.environ["AMS_VERSION"]
PACKAGE = os.path.join(tap.SOURCE_ROOT, "tools", "package")
OUTPUT = os.path.join(os.environ.get("BUILD_ROOT") or tap.SOURCE_ROOT, "build-package")
SOURCE = os.path.join(OUTPUT, "source")
# git does not look into what another user has checked out, unless told; who runs the tests has chosen the tree.
os.environ |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
MISSING = set()  # what tools/package has said that it had to leave out
NO_MIRROR = "Could not (resolve|connect)|Temporary failure|Connection (failed|timed out|refused)|Network is unreachable|Unable to connect"
# A recording with what comes with the package and no more: OpenH264 and VisualOn's AAC are in plugins-bad.
LINE = ("videotestsrc num-buffers=150 ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! openh264enc gop-size=30 ! "
    "amshlssink name=h target-duration=2 location={0}/a-%05d.ts playlist-location={0}/a.m3u8 "
    "audiotestsrc num-buffers=215 ! audio/x-raw,rate=44100,channels=2 ! voaacenc ! h.")


def git(*arguments):
    """What git says of the project, or None where that is no checkout."""
    done = subprocess.run(["git", "-C", tap.SOURCE_ROOT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout.decode() if done.returncode == 0 else None


def plain_environment(**more):
    """Without what the tests set for GStreamer: a user's."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith(("GST_", "G_"))}, **more}


@functools.cache
def archive():
    """The release's archive, of what git tracks (HEAD)."""
    tap.need("git")
    if git("rev-parse", "--verify", "HEAD") is None or not os.path.exists(os.path.join(tap.SOURCE_ROOT, ".git")):
        raise tap.Skip("the source is no git checkout")
    # In a build folder of its own: others are at work in the tests'.
    build = os.path.join(WORK, "dist")
    tap.run(["meson", "setup", build, tap.SOURCE_ROOT, "-Dtests=disabled"], timeout=200)
    tap.run(["meson", "dist", "-C", build, "--no-tests", "--allow-dirty", "--formats", "gztar"], timeout=200)
    return os.path.join(build, "meson-dist", f"amshls-{VERSION}.tar.gz")


@functools.cache
def packages():
    """Paths of the Debian packages by name. They are made of the archive, or, with changes or without git, of the tree as it is."""
    tap.need("dpkg-buildpackage", "dh", "lintian", "help2man")
    made_of = [archive()] if git("status", "--porcelain") == "" and os.path.exists(os.path.join(tap.SOURCE_ROOT, ".git")) else []
    os.environ["DEB_BUILD_OPTIONS"] = "noautodbgsym"
    said = tap.run([PACKAGE, *made_of], timeout=800)
    tap.note(said)
    MISSING.update(re.findall("without the player page", said))
    begin("root")
    return {os.path.basename(path).split("_")[0]: path for path in glob.glob(os.path.join(OUTPUT, "packages", "*.deb"))}


def build_folder():
    """Where tools/package compiled: with Debian's flags, from the archive."""
    packages()
    return glob.glob(os.path.join(SOURCE, "obj-*"))[0]


@functools.cache
def unpacked():
    folder = os.path.join(WORK, "unpacked")
    for path in packages().values():
        tap.run(["dpkg-deb", "-x", path, folder])
    return folder


def begin(what):
    """tools/package WHAT as root, which mostly waits for the network and the disk, beside the tests. None: not here."""
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        return None
    with open(os.path.join(WORK, what), "wb") as log:
        BESIDE[what] = subprocess.Popen([PACKAGE, "--" + what], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    return BESIDE[what]


@functools.cache
def clean_root():
    """A clean Debian in which the packages were installed."""
    if os.geteuid() != 0:
        raise tap.Skip("a clean Debian is made by root only")
    tap.need("mmdebstrap", "apt-get")
    packages()
    code = BESIDE["root"].wait(800)
    with open(os.path.join(WORK, "root"), encoding="utf-8") as log:
        said = log.read()
    if code != 0 and re.search(NO_MIRROR, said):
        raise tap.Skip("no Debian mirror is reached")
    tap.check(code == 0, said[-3000:])
    return said.splitlines()[-1]


def in_root(*command, **options):
    return tap.run(["chroot", clean_root(), "env", "-i", "PATH=/usr/bin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", *command], **options)


def field(path, name):
    return tap.run(["dpkg-deb", "-f", path, name]).strip()


def check_recording(playlist):
    report = tscheck.check(playlist)
    tap.check(not report.findings, "\n".join(report.findings))
    entries = tscheck.parse_playlist(playlist).entries
    seconds = sum(entry.duration for entry in entries)
    tap.check(len(entries) == 3 and 4.9 < seconds < 5.1, f"{len(entries)} segments, {seconds} s")


def programs(folder):
    """All that is linked below a folder: path and whether it is a program."""
    found = []
    for at, _, names in os.walk(folder):
        for path in (os.path.join(at, name) for name in names):
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    if file.read(4) == b"\x7fELF":
                        found.append(path)
    return found


def weaknesses(path):
    """What `hardening-check` would complain of."""
    headers = tap.run(["readelf", "-hlW", path])
    dynamic = tap.run(["readelf", "-dW", path])
    symbols = tap.run(["readelf", "-W", "--dyn-syms", path])
    program = "INTERP" in headers
    wanted = {
        "RELRO": "GNU_RELRO" in headers,
        "BIND_NOW": re.search(r"\bBIND_NOW\b|Flags:.*\bNOW\b", dynamic),
        "a stack that is not executable": re.search(r"GNU_STACK\s.*\sRW\s", headers),
        "the stack protector": "__stack_chk_fail" in symbols,
        "fortified functions": re.search(r"__\w+_chk@", re.sub("__stack_chk_fail", "", symbols)),
        "no RPATH": not re.search(r"\((RPATH|RUNPATH)\)", dynamic),
        "no text relocations": "TEXTREL" not in dynamic,
        "a position-independent executable": not program or re.search(r"Type:\s+DYN", headers),
    }
    return [f"{os.path.basename(path)} should have {what}" for what, has in wanted.items() if not has]


def test_dist_archive_has_all_that_git_tracks():
    tap.need("git")
    listed = tap.run(["tar", "-tzf", archive()]).splitlines()
    names = {name.split("/", 1)[1] for name in listed if not name.endswith("/")}
    tracked = set(git("ls-tree", "-r", "--name-only", "-z", "HEAD").strip("\0").split("\0"))
    tap.check(names == tracked, f"missing: {sorted(tracked - names)[:20]}, not tracked: {sorted(names - tracked)[:20]}")


def test_packages_are_built_and_lintian_has_nothing_to_say():
    made = packages()
    tap.check(sorted(made) == ["amshls-tools", "gstreamer1.0-amshls"], f"made: {sorted(made)}")
    overrides = glob.glob(os.path.join(SOURCE, "debian", "*lintian-overrides"))
    for path in overrides:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        tap.check(lines and lines[0].startswith("#"), f"{path}: an override without a reason")


def test_package_depends_on_what_is_needed_at_run_time():
    depends = field(packages()["gstreamer1.0-amshls"], "Depends")
    for name in ["gstreamer1.0-plugins-bad", "glib-networking", "libgstreamer1.0-0", "libglib2.0-0", "libsoup-3.0-0", "libgnutls30",
            "libjson-glib-1.0-0", "zlib1g", "libc6"]:
        tap.check(re.search(rf"(^|, ){re.escape(name)}( |,|$)", depends), f"not {name}: {depends}")
    tools = field(packages()["amshls-tools"], "Depends")
    tap.check(f"gstreamer1.0-amshls (= {field(packages()['amshls-tools'], 'Version')})" in tools and "python3" in tools, tools)
    tap.check(not re.search(r"-dev\b|\$", depends + tools), depends + tools)


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def test_version_is_said_once_and_is_the_same_everywhere():
    said = {
        "meson.build": re.search(r"^\s*version: '([^']+)'", read(tap.SOURCE_ROOT, "meson.build"), re.M).group(1),
        "docs/changelog.md": re.search(r"^## (\S+)", read(tap.SOURCE_ROOT, "docs/changelog.md"), re.M).group(1),
        "gst-inspect-1.0": re.search(r"Version\s+(\S+)", tap.run(["gst-inspect-1.0", os.environ["AMS_PLUGIN"]])).group(1),
    }
    for name, path in packages().items():
        said[name] = field(path, "Version").split("~")[0]
    for path in glob.glob(os.path.join(unpacked(), "usr/bin/*")):
        said[path] = tap.run([path, "--version"]).split()[-1]
    tap.check(set(said.values()) == {VERSION}, said)
    # Written out nowhere else: a release changes meson.build and the changelog.
    files = [os.path.join(at, name) for folder in ("gst", "examples", "tools") for at, folders, names in os.walk(os.path.join(SOURCE, folder))
        for name in names if "node_modules" not in at and name.endswith((".c", ".h", ".py", ".sh", ".in", ".build", "control", "rules"))]
    again = [path for path in files if re.search(rf"(?<![\d.]){re.escape(VERSION)}(?![\d.])", read(path))]
    tap.check(len(files) > 100 and not again, f"{VERSION} is written in {again}")


def test_plugin_and_programs_are_hardened():
    """As meson builds by itself, and as the packages are built."""
    linked = [os.environ["AMS_PLUGIN"], *programs(unpacked())]
    tap.check({os.path.basename(path) for path in linked} == {"libgstams.so", "amshls-recorder", "hls-upload"}, linked)
    found = [weakness for path in linked for weakness in weaknesses(path)]
    tap.check(not found, "\n".join(found))


def test_plugin_exports_its_description_and_nothing_else():
    symbols = tap.run(["nm", "-D", "--defined-only", os.environ["AMS_PLUGIN"]])
    names = [line.split()[-1] for line in symbols.splitlines()]
    tap.check(sorted(names) == ["gst_plugin_ams_get_desc", "gst_plugin_ams_register"], names)


def test_unpacked_source_passes_unit_tests():
    """A few of them, all that take the build folder to be whole; all of them are what tools/test runs."""
    folder = build_folder()
    tap.run(["meson", "configure", folder, "-Dtests=enabled"], timeout=120)
    said = tap.run(["meson", "test", "-C", folder, "--num-processes", "2", "playlist", "playlist-parser", "names", "recovery", "s3-sign",
        "http-url"], timeout=400)
    tap.check(re.search(r"^Ok:\s+6\s*$", said, re.M), said[-2000:])


def test_prefix_is_found_by_gst_launch_and_uninstalled_without_a_trace():
    folder, prefix = build_folder(), os.path.join(WORK, "prefix")
    tap.run(["meson", "configure", folder, "-Dtests=disabled", f"-Dprefix={prefix}", "-Dlibdir=lib", "-Dbindir=bin", "-Ddatadir=share"],
        timeout=120)
    tap.run(["meson", "install", "-C", folder], timeout=300)
    for name in ["lib/gstreamer-1.0/libgstams.so", "bin/amshls-recorder", "bin/hls-upload", "share/doc/amshls/README.md", "share/doc/amshls/COPYING",
            "share/doc/amshls/docs/amshlssink.md"]:
        tap.check(os.path.exists(os.path.join(prefix, name)), f"{name} is not installed")
    environment = plain_environment(GST_PLUGIN_PATH=os.path.join(prefix, "lib", "gstreamer-1.0"), GST_REGISTRY=os.path.join(WORK, "registry"))
    tap.run(["env", "-i", *(f"{name}={value}" for name, value in environment.items()), "gst-launch-1.0", "-e",
        *LINE.format(os.path.join(WORK, "stock")).split()], timeout=100)
    check_recording(os.path.join(WORK, "stock", "a.m3u8"))
    tap.run(["ninja", "-C", folder, "uninstall"], timeout=100)
    left = [os.path.join(at, name) for at, _, names in os.walk(prefix) for name in names]
    tap.check(not left, f"left: {left}")
    tap.check(not os.path.exists(os.path.join(prefix, "share", "doc", "amshls")), "folders are left")


def sources(suite):
    """What apt is told in a Debian that is made here: type, mirror, suite, component of each line. Without a suite, of this machine's."""
    said = tap.run(["bash", "-c", '. "$0/tools/lib.sh" && . "$0/tools/debian-root.sh" && apt_sources "${1:-$(machine_release)}"', tap.SOURCE_ROOT, suite])
    return [re.sub(r"\[[^]]*\] ", "", line).split() for line in said.splitlines()]


def test_debian_of_another_suite_is_from_this_machines_mirror():
    here = sources("")
    if not here:
        raise tap.Skip("apt on this machine knows no mirror of Debian")
    for suite in ("sid", "trixie", "bookworm"):
        found = sources(suite)
        tap.check(found and all(line[0] == "deb" and line[2].split("-")[0] == suite and line[3:] == ["main"] for line in found), f"{suite}: {found}")
        tap.check([line[2] for line in found].count(suite) >= 1, f"{suite}: {found}")
    tap.check({line[2] for line in sources("sid")} == {"sid"}, "sid has no other suites")


def test_clean_debian_records():
    root = clean_root()
    said = in_root("gst-inspect-1.0", "ams", timeout=200)
    for element in ("amshlssink", "amsfileput", "amshttpput", "amss3put"):
        tap.check(element in said, said)
    in_root("gst-launch-1.0", "-e", *LINE.format("/var/tmp/rec").split(), timeout=100)
    check_recording(os.path.join(root, "var/tmp/rec/a.m3u8"))


def test_clean_debian_has_every_element_that_amshlssink_places():
    with open(os.path.join(SOURCE, "gst/ams/hls/gstamsparsers.c"), encoding="utf-8") as file:
        needed = set(re.findall(r'"(\w+parse)"', file.read()))
    tap.check(len(needed) > 5, needed)
    in_root("sh", "-c", 'for e; do gst-inspect-1.0 --exists $e || { echo "no $e"; exit 1; }; done', "-", *sorted(needed), timeout=100)


def test_clean_debian_runs_the_tools():
    for program in ("amshls-recorder", "hls-upload"):
        tap.check(in_root(program, "--version").split() == [program, VERSION], program)
        tap.check("Usage:" in in_root(program, "--help"), program)
    tap.check(os.path.exists(os.path.join(clean_root(), "lib/systemd/system/amshls-recorder@.service")), "there is no unit")
    if os.path.exists(os.path.join(clean_root(), "usr/share/amshls/player")):
        in_root("/usr/share/amshls/player/serve.py", "--help")
    else:
        tap.check(MISSING, "there is no player page, and tools/package has not said so")


def test_clean_debian_speaks_tls():
    """The element gets as far as the connection, which is refused; without glib-networking it would say that TLS is not there."""
    said = in_root("gst-launch-1.0", "fakesrc", "num-buffers=1", "sizetype=fixed", "sizemax=100", "!", "amshttpput", "location=https://127.0.0.1:1/a", "drain-timeout=1000000000",
        ok=None, timeout=100)
    tap.check("TLS" not in said and "ERROR" in said, said)


def test_clean_debian_loses_it_all_with_the_packages():
    """Last: removed and purged, nothing of it is left."""
    names = sorted(packages())
    tap.run(["chroot", clean_root(), "dpkg", "--purge", *names], timeout=100)
    left = [line for line in in_root("find", "/usr", "/etc", "/lib/systemd", "/var/lib", "-path", "/var/lib/dpkg", "-prune", "-o",
        "-iname", "*ams*hls*", "-print", "-o", "-name", "libgstams*", "-print").splitlines()]
    tap.check(not left, f"left: {left}")


@contextlib.contextmanager
def alone():
    """Nobody else uses BUILD_ROOT/build-package. The clean Debian goes, and what it is made of stays for the next time."""
    os.makedirs(OUTPUT, exist_ok=True)
    with open(os.path.join(OUTPUT, "test.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            if not os.environ.get("AMS_KEEP"):
                shutil.rmtree(os.path.join(OUTPUT, "root"), ignore_errors=True)


if __name__ == "__main__":
    with tap.folder() as WORK, alone():
        BESIDE = {}
        begin("base")  # what the packages will be put into
        try:
            code = tap.run_tests(dict(globals()))
        finally:
            for process in BESIDE.values():
                if process.poll() is None:
                    process.terminate()
                    process.wait()
    sys.exit(code)
