# Shared by the scripts in this folder, which source it; needs bash.
#
#   BUILD_ROOT   where the build folders go (the project's own folder)
#   JOBS         compilers and tests at a time (2)

SOURCE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD_ROOT=${BUILD_ROOT:-$SOURCE_ROOT}
JOBS=${JOBS:-2}
mkdir -p "$BUILD_ROOT"
BUILD_ROOT=$(cd "$BUILD_ROOT" && pwd)
LOGS=$BUILD_ROOT/build-logs
mkdir -p "$LOGS"
export PYTHONDONTWRITEBYTECODE=1

PACKAGES_BUILD="build-essential meson ninja-build pkg-config
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libglib2.0-dev libsoup-3.0-dev libjson-glib-dev
  libgnutls28-dev zlib1g-dev"
PACKAGES_RUN="gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
  gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-plugins-base-apps glib-networking ca-certificates"
PACKAGES_PLAYER="python3 nodejs npm"
PACKAGES_DEBIAN="debhelper help2man lintian mmdebstrap"
# What the unit and element tests need beside; these are in any Debian.
PACKAGES_UNITS="openssl python3"
PACKAGES_BENCH="gstreamer1.0-x ffmpeg valgrind python3 nginx-light libnginx-mod-http-dav-ext curl openssl ceph-mon ceph-osd ceph-common radosgw s3cmd"
# llvm: what LeakSanitizer lets pass it knows by the names of functions, which are found by llvm-symbolizer for a program of clang's.
PACKAGES_TEST="ffmpeg clang clang-format-14 libclang-rt-14-dev llvm git gstreamer1.0-x python3 python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-rtsp-server-1.0
  nodejs npm chromium nginx-light libnginx-mod-http-dav-ext libnginx-mod-rtmp apache2 apache2-utils openssl curl faketime
  ceph-mon ceph-osd ceph-common radosgw s3cmd squid valgrind
  $PACKAGES_DEBIAN"

say () { printf '%s\n' "$*"; }
die () { printf '%s\n' "$*" >&2; exit 1; }

as_root () {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    die "Packages are missing, and this is neither root nor is there sudo. As root: apt-get install $MISSING"
  fi
}

# Of the packages named, those that are not installed. A command that came from elsewhere than
# Debian's package of that name (Node.js often does) is as good.
missing_packages () {
  local package
  for package; do
    case $package in
      nodejs) command -v node >/dev/null 2>&1 && continue ;;
      npm | ffmpeg | chromium | clang | meson) command -v "$package" >/dev/null 2>&1 && continue ;;
      ninja-build) command -v ninja >/dev/null 2>&1 && continue ;;
      clang-format-14) clang_format >/dev/null && continue ;;
    esac
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf '%s ' "$package"
  done
}

apt_install () {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
    install -y -q --no-install-recommends "$@"
}

# need PACKAGE...: installs what is missing. No daemon is started by that.
need () {
  local policy=/usr/sbin/policy-rc.d made=
  MISSING=$(missing_packages "$@")
  [ -n "$MISSING" ] || return 0
  say "Installing: $MISSING"
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod +x $policy
    made=1
  fi
  # shellcheck disable=SC2086
  if ! apt_install $MISSING >"$LOGS/apt.log" 2>&1; then
    as_root apt-get update -q >>"$LOGS/apt.log" 2>&1 || true
    apt_install $MISSING >>"$LOGS/apt.log" 2>&1 || INSTALL_FAILED=1
  fi
  [ -z "$made" ] || as_root rm -f $policy
  if [ -n "${INSTALL_FAILED:-}" ]; then
    tail -n 20 "$LOGS/apt.log" >&2
    die "Could not install: $MISSING"
  fi
}

# The clang-format that the code is formatted after is Debian 12's.
clang_format () {
  local name
  for name in clang-format-14 clang-format; do
    if command -v $name >/dev/null 2>&1 && $name --version | grep -q 'version 14\.'; then
      command -v $name
      return 0
    fi
  done
  return 1
}

# setup_build NAME [MESON OPTION...]: configures BUILD_ROOT/NAME, or configures it anew when the
# options are others than last time. What is there is kept when it still fits.
setup_build () {
  local dir=$BUILD_ROOT/$1 options stamp
  shift
  options="${CC:-} $*"
  stamp=$dir/.options
  if [ -e "$dir/build.ninja" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$options" ]; then
    return 0
  fi
  rm -rf "$dir"
  if ! meson setup "$dir" "$SOURCE_ROOT" "$@" >"$LOGS/setup.log" 2>&1; then
    tail -n 30 "$LOGS/setup.log" >&2
    return 1
  fi
  printf '%s\n' "$options" >"$stamp"
}

# node_modules FOLDER SOURCE: what SOURCE/package-lock.json names, in BUILD_ROOT/FOLDER. From npm once; then it works offline.
node_modules () {
  local dir=$BUILD_ROOT/$1 source=$2
  if [ -d "$dir/node_modules/hls.js" ] && cmp -s "$source/package-lock.json" "$dir/package-lock.json"; then
    return 0
  fi
  mkdir -p "$dir"
  cp "$source/package.json" "$source/package-lock.json" "$dir/"
  if ! (cd "$dir" && npm ci --omit=dev --ignore-scripts --no-fund --no-audit --loglevel=error) >"$LOGS/npm.log" 2>&1; then
    rm -f "$dir/package-lock.json"
    tail -n 20 "$LOGS/npm.log" >&2
    return 1
  fi
}

# The checkers' modules.
need_node_modules () {
  export AMS_NODE_MODULES=$BUILD_ROOT/build-node/node_modules
  node_modules build-node "$SOURCE_ROOT/tests/common"
}

# What the player page plays with. Before a build folder is set up, for that to install it.
need_player () {
  export AMS_HLS_JS=$BUILD_ROOT/build-player/node_modules/hls.js/dist/hls.min.js
  node_modules build-player "$SOURCE_ROOT/examples/player"
}
