#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ab against nginx on the loopback interface, with new connections; the time of the client alone.
set -eu
dir=$(mktemp -d)
port=$((20000 + $(date +%N | sed 's/^0*//;s/$/0/' | cut -c1-6) % 20000))
mkdir "$dir/www"
head -c 2048 "$1/data" >"$dir/www/file"
cat >"$dir/conf" <<EOF
daemon off; worker_processes 1; pid $dir/pid; error_log $dir/error;
events { worker_connections 256; }
http { access_log off; client_body_temp_path $dir/b; proxy_temp_path $dir/p; fastcgi_temp_path $dir/f;
uwsgi_temp_path $dir/u; scgi_temp_path $dir/s;
server { listen 127.0.0.1:$port; root $dir/www; } }
EOF
nginx -p "$dir" -c "$dir/conf" >/dev/null 2>&1 &
trap 'kill $! 2>/dev/null; wait; rm -rf "$dir"' EXIT
n=0
until ab -q -n 1 "http://127.0.0.1:$port/file" >/dev/null 2>&1 || [ $n -gt 200 ]; do sleep 0.02; n=$((n + 1)); done
began=$(date +%s%N)
ab -q -n 3000 -c 8 "http://127.0.0.1:$port/file" >/dev/null
echo $(($(date +%s%N) - began))
