# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the test programs in Python share: TAP, the tools they call, folders of their own."""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

COMMON = os.path.dirname(os.path.abspath(__file__))
SOURCE_ROOT = os.path.dirname(os.path.dirname(COMMON))
NODE_MODULES = os.environ.get("AMS_NODE_MODULES") or os.path.join(SOURCE_ROOT, "build-node", "node_modules")


class Skip(Exception):
    """Raised by a test that cannot be run here."""


class Failed(Exception):
    """Raised by a test that found what it should not."""


def check(condition, text):
    if not condition:
        raise Failed(text)


def note(text):
    for line in str(text).splitlines():
        print("# " + line, flush=True)


def run_tests(tests):
    """Runs the functions named test_… of a module (or a list), prints TAP, returns the exit code."""
    if isinstance(tests, dict):
        tests = [f for name, f in tests.items() if name.startswith("test_") and callable(f)]
    wanted = [a for a in sys.argv[1:] if a.startswith("test_")]
    tests = [t for t in tests if not wanted or t.__name__ in wanted]
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, test in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} - {test.__name__}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {test.__name__} # SKIP {reason}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            if not isinstance(error, Failed):
                note(traceback.format_exc())
            print(f"not ok {number} - {test.__name__}", flush=True)
            note(error)
    return 1 if failed else 0


@contextlib.contextmanager
def folder():
    """A folder that is gone afterwards, unless AMS_KEEP is set."""
    path = tempfile.mkdtemp(prefix="amshls-test-")
    try:
        yield path
    finally:
        if os.environ.get("AMS_KEEP"):
            note(f"kept: {path}")
        else:
            shutil.rmtree(path, ignore_errors=True)


def need(*commands):
    for command in commands:
        if not shutil.which(command):
            raise Skip(f"{command} is not installed")


def run(command, timeout=60, cwd=None, ok=(0,)):
    """Runs a command to its end and returns what it said; Failed when its exit code is not in ok."""
    try:
        done = subprocess.run(command, cwd=cwd, timeout=timeout, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False)
    except subprocess.TimeoutExpired as expired:
        said = (expired.stdout or b"").decode("utf-8", "replace")
        raise Failed(f"{' '.join(command)}: not done after {timeout} s\n{said[-3000:]}") from expired
    said = done.stdout.decode("utf-8", "replace")
    if ok is not None and done.returncode not in ok:
        raise Failed(f"{' '.join(command)}: exit code {done.returncode}\n{said[-3000:]}")
    return said


def m3u8_check(*playlists):
    need("node")
    if not os.path.isdir(os.path.join(NODE_MODULES, "hls-parser")):
        raise Skip(f"no parsers in {NODE_MODULES}: tools/test installs them")
    os.environ["AMS_NODE_MODULES"] = NODE_MODULES
    return run(["node", os.path.join(COMMON, "m3u8-check.mjs"), *playlists])


def have_element(name="amshlssink"):
    """The plugin just built must have it: no reason to skip."""
    need("gst-inspect-1.0", "gst-launch-1.0")
    done = subprocess.run(["gst-inspect-1.0", "--exists", "--atleast-version=0.0.0", name], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, check=False)
    check(done.returncode == 0, f"the built plugin has no element {name}")
