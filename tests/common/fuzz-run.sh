#!/bin/sh
# fuzz-run.sh TARGET SEEDS WORK SECONDS: one bounded run of a libFuzzer target. New inputs and what
# crashed are kept in WORK; put a crash into SEEDS when it is fixed.
# libFuzzer's own exit code for a crash, 77, is what Meson takes for a test that was skipped.
set -eu
target=$1 seeds=$2 work=$3 seconds=$4
mkdir -p "$work/found"
[ -d "$seeds" ] || seeds=
exec "$target" -max_total_time="$seconds" -timeout=10 -max_len=16384 -rss_limit_mb=2048 -error_exitcode=99 -print_final_stats=1 \
  -verbosity=1 -artifact_prefix="$work/" "$work/found" $seeds
