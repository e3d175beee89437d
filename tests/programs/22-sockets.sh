# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# D-Bus, sd_notify, ip and ss, multiprocessing over unix sockets, nc and socat: who is at the other end.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs dbus-daemon dbus-send gdbus ip ss nc socat systemd-notify /usr/bin/python3
py=/usr/bin/python3

bus='dbus-daemon --session --nofork --nopidfile --address="unix:path=$PWD/bus" & daemon=$!
	export DBUS_SESSION_BUS_ADDRESS="unix:path=$PWD/bus"
	for i in $(seq 100); do [ -S bus ] && break; sleep .05; done
	'
ask='gdbus call --session --dest org.freedesktop.DBus --object-path /org/freedesktop/DBus --method org.freedesktop.DBus'
numbers 'D-Bus: who is the bus' bash -c "$bus$ask"'.GetConnectionUnixProcessID org.freedesktop.DBus; kill $daemon; wait'
numbers 'D-Bus: process numbers and credentials of a service' bash -c "$bus"'/usr/bin/python3 "$0" & service=$!
	for i in $(seq 100); do '"$ask"'.NameHasOwner org.example.Service | grep -q true && break; sleep .05; done
	pid=$('"$ask"'.GetConnectionUnixProcessID org.example.Service); echo "$pid" | sed "s/ $service,/ the service,/"
	'"$ask"'.GetConnectionCredentials org.example.Service | grep -o "ProcessID.: <uint32 $service>" | sed "s/$service/the service/"
	dbus-send --session --print-reply=literal --dest=org.example.Service / org.example.Service.Whoami | sed "s/ $service\$/ the service/"
	kill $service $daemon; wait 2>/dev/null' "$src/dbus_service.py"
numbers 'sd_notify: who notifies' $py "$src/notify.py"
numbers 'multiprocessing: SO_PEERCRED, SCM_CREDENTIALS, SCM_RIGHTS over AF_UNIX' $py "$src/py_creds.py"
fresh
"${drop[@]}" "$py" "$src/py_outside.py" serve "$work/outside" &
server=$!
for _ in $(seq 100); do
	[ -S "$work/outside" ] && break
	sleep .05
done
numbers 'a peer outside has number 0, and sees a member under its own' $py "$src/py_outside.py" ask "$work/outside"
kill $server
wait $server 2>/dev/null
same 'multiprocessing.connection: listener, client, reduction' $py "$src/py_connection.py"
same 'ip link, addr, route' bash -c 'ip -o link show lo | cut -c1-30; ip -o addr show dev lo | grep -c inet; ip route get 127.0.0.1 | head -c 30'
moved='ip in namespaces of its own: links moved by process number'
if fresh && native unshare --user --map-root-user --net true 2>/dev/null; then
	same "$moved" unshare --user --map-root-user --net bash -c '
		set -e
		unshare --net sleep 20 & pid=$!
		for i in $(seq 100); do [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ] && break; sleep .05; done
		ip link add one type veth peer name two
		ip link set two netns $pid
		ip link add three type veth peer name four netns $pid
		ip -o link | grep -oE "(one|two|three|four)@"
		echo there; nsenter --net=/proc/$pid/ns/net ip -o link | grep -oE "(one|two|three|four)@"
		ip link set one netns 99999 2>&1 || echo status $?
		kill $pid; wait $pid || true'
else
	skip "$moved" 'no user and network namespaces'
fi
same 'ss -lx -p: who listens' bash -c '
	socat UNIX-LISTEN:sock,fork STDOUT & s=$!
	for i in $(seq 100); do [ "$(ss -xlnH src "*sock" 2>/dev/null)" ] && break; sleep .05; done
	ss -xlpnH src "*sock" 2>/dev/null | grep -o "\"socat\",pid=$s,"  | sed "s/$s/its number/"
	kill $s; wait $s 2>/dev/null; true'
# A socket is there before it listens.
same 'nc and socat over unix sockets' bash -c '
	socat -u UNIX-LISTEN:sock CREATE:got & s=$!
	until seq 2000 | nc -N -U sock 2>/dev/null; do sleep .05; done; wait $s; md5sum <got
	nc -l -U second >got2 & s=$!
	seq 3000 | socat -u STDIN UNIX-CONNECT:second,retry=200,interval=0.05; wait $s; md5sum <got2
	socat -u UNIX-RECVFROM:third CREATE:got3 & s=$!
	for i in $(seq 100); do [ -S third ] && break; sleep .05; done
	echo datagram | socat -u STDIN UNIX-SENDTO:third; wait $s; cat got3'
same 'getaddrinfo and interfaces ask netlink' $py -c '
import socket
print(socket.getaddrinfo("127.0.0.1", 80, proto=socket.IPPROTO_TCP), ("lo" in [n for _, n in socket.if_nameindex()]))'
finish
