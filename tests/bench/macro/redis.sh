#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# redis-benchmark over a unix socket; the time of the client alone.
set -eu
dir=$(mktemp -d)
redis-server --port 0 --unixsocket "$dir/s" --save '' --appendonly no --dir "$dir" >/dev/null 2>&1 &
trap 'kill $! 2>/dev/null; wait; rm -rf "$dir"' EXIT
until redis-cli -s "$dir/s" ping >/dev/null 2>&1; do sleep 0.02; done
began=$(date +%s%N)
redis-benchmark -s "$dir/s" -q -n 10000 -c 10 -t get,set >/dev/null
echo $(($(date +%s%N) - began))
