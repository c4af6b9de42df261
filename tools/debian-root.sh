# Shared by tools/package and tools/test, which source it after lib.sh; needs bash, and root for most of it.
#
# A Debian of its own in a folder, made by mmdebstrap from the mirror that apt on this machine is set up with. Where the mirror is and how
# it is reached is nowhere but in apt's settings here.

machine_release () { (. /etc/os-release && printf '%s' "$VERSION_CODENAME"); }

# apt_sources SUITE: lines for apt. Debian's own, no others. Of a suite that apt here was told nothing of, those of this machine's release,
# with the name changed; unstable has no updates and no security suite.
apt_sources () {
  python3 - "$1" "$(machine_release)" <<'PYTHON'
import glob, re, sys


def read(path):
    try:
        return open(path, encoding="utf-8").read()
    except FileNotFoundError:
        return ""


def sources(release):
    suites, found = {release, release + "-updates", release + "-security", release + "/updates"}, []
    for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*.list"))]:
        for line in read(path).splitlines():
            entry = re.match(r"deb\s+(\[.*?\]\s+)?(\S+)\s+(\S+)\s+(.*\S)", line)
            if entry and entry[3] in suites and "main" in entry[4].split():
                found.append((entry[1] or "", entry[2], entry[3]))
    for path in sorted(glob.glob("/etc/apt/sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", read(path)):
            fields = dict(re.findall(r"^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)", stanza, re.M))
            if (fields.get("Enabled", "yes") != "yes" or "deb" not in fields.get("Types", "").split()
                    or "main" not in fields.get("Components", "").split()):
                continue
            signed = fields.get("Signed-By", "")
            options = f"[signed-by={signed.strip()}] " if signed and "\n" not in signed else ""
            found += [(options, uri, suite) for uri in fields["URIs"].split() for suite in fields["Suites"].split() if suite in suites]
    return found


wanted, machine = sys.argv[1:]
found = sources(wanted)
if not found:
    found = [(options, uri, suite.replace(machine, wanted, 1)) for options, uri, suite in sources(machine)]
    if wanted in ("sid", "unstable"):
        found = [entry for entry in found if entry[2] == wanted]
print("\n".join(f"deb {options}{uri} {suite} main" for options, uri, suite in found))
PYTHON
}

# apt_settings FILE: of apt's settings here those that say how to reach the mirror.
apt_settings () {
  apt-config dump | grep -E '^Acquire::(http|https|Retries|Check-Valid-Until|Check-Date)\b' >"$1" || true
}

# make_debian SUITE FOLDER APT-SETTINGS MMDEBSTRAP-OPTION...: no daemon will be started in there.
make_debian () {
  local suite=$1 folder=$2 settings=$3 sources skip=
  shift 3
  sources=$(apt_sources "$suite")
  if [ -z "$sources" ]; then
    say "apt on this machine knows no mirror of Debian, so $suite cannot be had." >&2
    return 1
  fi
  unshare --mount true 2>/dev/null || skip=--skip=check/canmount
  # shellcheck disable=SC2086
  printf '%s\n' "$sources" |
    mmdebstrap --mode=root $skip --aptopt="$settings" --dpkgopt=force-unsafe-io "$@" "$suite" "$folder" - || return 1
  printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
  chmod +x "$folder/usr/sbin/policy-rc.d"
}

# network_settings FOLDER: NAME=VALUE of the environment with which the Debian in FOLDER reaches what this machine reaches, one a line:
# proxies, and npm's registry. Certificates that are named are copied there.
network_settings () {
  local name value
  mkdir -p "$1/etc/ssl"
  for name in http_proxy https_proxy no_proxy all_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY; do
    [ -z "${!name:-}" ] || printf '%s=%s\n' "$name" "${!name}"
  done
  if [ -n "${NODE_EXTRA_CA_CERTS:-}" ] && cp "$NODE_EXTRA_CA_CERTS" "$1/etc/ssl/node-extra.crt"; then
    say NODE_EXTRA_CA_CERTS=/etc/ssl/node-extra.crt
  fi
  command -v npm >/dev/null 2>&1 || return 0
  for name in registry proxy https-proxy noproxy cafile; do
    value=$(npm config get $name 2>/dev/null) || continue
    case $name=$value in
      *=null | *=undefined | *=) continue ;;
      cafile=*) cp "$value" "$1/etc/ssl/npm.crt" || continue; value=/etc/ssl/npm.crt ;;
    esac
    printf 'npm_config_%s=%s\n' "${name//-/_}" "$value"
  done
}

# enter FOLDER PACKAGES COMMAND...: the command in there, with /proc, /sys, /dev/pts and /dev/shm, and PACKAGES, a folder, as apt's cache.
# It has namespaces of its own: with the process that this becomes all ends that was started in there, and all is unmounted.
enter () {
  # shellcheck disable=SC2016
  exec unshare --mount --pid --fork --kill-child sh -c '
    set -e
    root=$1
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    mount --bind "$2" "$root/var/cache/apt/archives"
    shift 2
    chroot "$root" env -i "$@"
    exit $?' - "$@"
}
