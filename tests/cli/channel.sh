# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of tests/cli/run: the supervisor's channel answers members and refuses everybody else, and nobody
# can keep it from its work. With the stand-in, whose programs make the kernel's own system calls.
# shellcheck disable=SC2016 # what stands in single quotes is for the shell inside

cat >"$CLI_TMP/ask" <<'X'
#!/usr/bin/python3
"""ask NAME: asks the channel of that name; ask: finds the name in our own segment."""
import array, mmap, os, socket, struct, sys, time

def ask(name, op=1):  # RS_OP_FDS: resident/handover.h
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(5)
    s.connect(b"\0" + name)
    s.send(struct.pack("<IiQ4i", op, 0, 0, 0, 0, 0, 0))
    fds = array.array("i")
    answer, extra, _, _ = s.recvmsg(4096, socket.CMSG_SPACE(8))
    for level, kind, data in extra:
        fds.frombytes(data)
    return struct.unpack_from("<i", answer)[0], len(fds), [os.fstat(f).st_ino for f in fds]

def own_name():
    for fd in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{fd}").startswith("/memfd:subpid (") and int(fd) > 50:
                m = mmap.mmap(int(fd), 4096)
                at = m.find(b"subpid-")
                return m[at:m.find(b"\0", at)], os.fstat(int(fd)).st_ino
        except OSError:
            pass
    raise SystemExit("no segment")

if sys.argv[1:]:
    print(*ask(sys.argv[1].encode())[:2])
    raise SystemExit
name, ino = own_name()
answer, n, inodes = ask(name)
print(answer, n, inodes[0] == ino)
print(*ask(name, 999)[:2])
# An unregistered child of a member, as the helper that fetches descriptors is.
sys.stdout.flush()
if os.fork() == 0:
    print(*ask(name)[:2])
    os._exit(0)
os.wait()
# Connections that say nothing do not keep others out.
idle = []
for _ in range(60):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(b"\0" + name)
    idle.append(s)
print(*ask(name)[:2])
with open(os.environ["CLI_TMP"] + "/name", "wb") as f:
    f.write(name)
sys.stdout.flush()
time.sleep(float(os.environ.get("STAY", "0")))
X
chmod 755 "$CLI_TMP/ask"
run env "CLI_TMP=$CLI_TMP" "$standin" run "$CLI_TMP/ask"
same 'the channel serves members' '0 2 True -38 0 0 2 0 2' "$flat${err:0:200}"
SV_FAULT=noproc run env "CLI_TMP=$CLI_TMP" "$standin" run "$CLI_TMP/ask"
same 'the channel serves members without /proc' '0 2 True -38 0 0 2 0 2' "$flat${err:0:200}"

rm -f "$CLI_TMP/name"
(exec "$root/tests/lib/as-user" env "CLI_TMP=$CLI_TMP" STAY=20 timeout -k 2 20 \
	"$standin" run "$CLI_TMP/ask" >/dev/null) &
for _ in {1..100}; do
	[ -s "$CLI_TMP/name" ] && break
	sleep .02
done
run "$CLI_TMP/ask" "$(cat "$CLI_TMP/name")"
same 'the channel refuses who is no member' '-1 0' "$out$err"
kill $!
wait $! 2>/dev/null
run "$CLI_TMP/ask" "$(cat "$CLI_TMP/name")"
same 'the channel ends with the namespace' ConnectionRefusedError "$(grep -o ConnectionRefusedError <<<"$err")"
