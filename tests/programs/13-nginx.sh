# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# nginx: master and workers, reload, worker killed, quit; asked by curl on the loopback device.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs nginx curl

cat >"$work/nginx.conf" <<'C'
worker_processes 2;
error_log stderr crit;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fcgi;
	uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	server {
		listen unix:web.sock;
		location / { return 200 "served\n"; }
		location /pid { return 200 "$pid\n"; }
	}
}
C
serve='
cp ../nginx.conf . && sed -i "s|unix:|unix:$PWD/|" nginx.conf
nginx -p "$PWD" -c nginx.conf -g "pid $PWD/pid; $0" & master=$!
ask() { curl -s -m 5 --retry 20 --retry-delay 1 --unix-socket web.sock "http://localhost/$1"; }
for i in $(seq 100); do [ -S web.sock ] && [ -s pid ] && break; sleep .05; done; ask'
same 'serves, reloads, quits' bash -c "$serve"'
	[ $(cat pid) = $master ] && echo own number; for i in $(seq 50); do ask; done | sort | uniq -c
	pgrep -c -P $master; w=$(ask pid); kill -HUP $master; for i in $(seq 100); do kill -0 $w 2>/dev/null || break; sleep .05; done
	ask; pgrep -c -P $master; kill -QUIT $master; wait $master; echo $?; test -e pid || echo cleaned' 'daemon off;'
same 'a worker that is killed is replaced' bash -c "$serve"'
	for i in $(seq 100); do [ $(pgrep -c -P $master) = 2 ] && break; sleep .05; done
	w=$(pgrep -P $master | head -n 1); kill -9 $w; for i in $(seq 100); do [ $(pgrep -c -P $master) = 2 ] && ! pgrep -P $master | grep -qx $w && break; sleep .05; done
	ask; pgrep -c -P $master; kill $master; wait $master; echo $?' 'daemon off;'
same 'as a daemon, stopped by nginx -s' bash -c "$serve"'
	wait $master; echo $?; nginx -p "$PWD" -c nginx.conf -g "pid $PWD/pid;" -s stop; echo $?
	for i in $(seq 100); do test -e pid || break; sleep .05; done; test -e pid || echo cleaned; sleep .2; pgrep -x nginx | wc -l' 'daemon on;'
finish
