# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# postgresql as a non-root user: initdb, pg_ctl, pgbench, a backend cancelled and one killed.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
PATH=${bin:-/nonexistent}:$PATH
needs initdb pg_ctl pgbench psql

start='
export PGHOST=$PWD PGDATA=$PWD/data PGUSER=me PGDATABASE=postgres
initdb -U me -A trust --no-sync --no-locale -E UTF8 >init.log 2>&1 || { cat init.log; exit 1; }
pg_ctl -w -t 20 -s -l log -o "-c listen_addresses= -c unix_socket_directories=$PWD -c fsync=off -c shared_buffers=16MB" start || { cat log; exit 1; }
pg_ctl status | grep -c "server is running"; [ "$(head -n 1 data/postmaster.pid)" = "$(pgrep -o postgres)" ] && echo own number'
same 'initdb, pgbench, stop' bash -c "$start"'
	pgbench -q -i -s 1 2>/dev/null; pgbench -c 4 -j 2 -t 50 2>/dev/null | grep "transactions actually"
	psql -Atc "select count(*) from pgbench_history"; pg_ctl -w -s stop -m fast; echo $?; pgrep -c postgres; test -e data/postmaster.pid || echo cleaned'
same 'backends: numbers, cancel, terminate, crash' bash -c "$start"'
	psql -Atc "select pg_backend_pid() = any(array(select pid from pg_stat_activity))"
	psql -c "select pg_sleep(30)" >a 2>&1 & c=$!; for i in $(seq 100); do p=$(psql -Atc "select pid from pg_stat_activity where query like \$\$select pg_sleep(30)%\$\$ and pid <> pg_backend_pid()"); [ -n "$p" ] && break; sleep .05; done
	ps -o comm= -p $p; psql -Atc "select pg_cancel_backend($p)"; wait $c; echo $?; cat a
	psql -Atc "select pg_sleep(30)" >b 2>&1 & c=$!; for i in $(seq 100); do p=$(psql -Atc "select pid from pg_stat_activity where query like \$\$select pg_sleep(30)%\$\$ and pid <> pg_backend_pid()"); [ -n "$p" ] && break; sleep .05; done
	kill -9 $p; wait $c; echo $?; for i in $(seq 100); do psql -Atc "select 42" 2>/dev/null && break; sleep .1; done
	pg_ctl -w -s restart -m fast >/dev/null; psql -Atc "select 43"; pg_ctl -w -s stop -m immediate; echo $?'
finish
