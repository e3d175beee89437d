#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pgbench over a unix socket, on a database that was made before; the time of the client alone.
set -eu
for bin in /usr/lib/postgresql/*/bin; do :; done
dir=$(mktemp -d)
cp -r "$1/pg" "$dir/pg"
chmod 700 "$dir/pg"
"$bin/pg_ctl" -s -w -D "$dir/pg" -l "$dir/log" -o "-c listen_addresses= -k $dir -c fsync=off" start >/dev/null
trap '"$bin/pg_ctl" -s -m immediate -D "$dir/pg" stop; rm -rf "$dir"' EXIT
began=$(date +%s%N)
"$bin/pgbench" -h "$dir" -U postgres -n -S -c 2 -t 2000 postgres >/dev/null 2>&1
echo $(($(date +%s%N) - began))
