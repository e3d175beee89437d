# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# redis: the server, a benchmark, a background save (fork), shutdown by signal.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs redis-server redis-cli redis-benchmark

serve='
redis-server --port 0 --unixsocket "$PWD/r.sock" --dir "$PWD" --save "" --daemonize no --io-threads 2 >log & server=$!
cli() { redis-cli -s "$PWD/r.sock" "$@"; }
for i in $(seq 100); do [ "$(cli ping 2>/dev/null)" = PONG ] && break; sleep .05; done
cli ping; [ "$(cli info server | tr -d "\r" | sed -n s/process_id://p)" = $server ] && echo own number'
same 'benchmark' bash -c "$serve"'
	redis-benchmark -s "$PWD/r.sock" -q -n 5000 -c 20 -t set,get,incr,lpush -P 4 --csv | cut -d, -f1 | tail -n 4
	cli dbsize; cli get counter:__rand_int__; kill $server; wait $server; echo $?'
same 'background save and rewrite' bash -c "$serve"'
	for i in $(seq 50); do echo "set k$i v$i"; done | cli | sort -u; cli bgsave
	for i in $(seq 100); do cli info persistence | grep -q rdb_bgsave_in_progress:0 && break; sleep .05; done
	cli info persistence | tr -d "\r" | grep -E "rdb_last_bgsave_status"; test -s dump.rdb && echo saved
	cli config set appendonly yes; for i in $(seq 100); do cli info persistence | grep -q aof_rewrite_in_progress:0 && break; sleep .05; done
	cli info persistence | tr -d "\r" | grep aof_last_bgrewrite_status; cli shutdown nosave; wait $server; echo $?'
same 'daemonised, with a pid file' bash -c '
	redis-server --port 0 --unixsocket "$PWD/r.sock" --dir "$PWD" --save "" --daemonize yes --pidfile "$PWD/pid" --logfile "$PWD/log"
	for i in $(seq 100); do [ "$(redis-cli -s r.sock ping 2>/dev/null)" = PONG ] && break; sleep .05; done
	p=$(cat pid); kill -0 $p && ps -o comm= -p $p; kill $p; for i in $(seq 100); do kill -0 $p 2>/dev/null || break; sleep .05; done; test -e pid || echo cleaned'
finish
