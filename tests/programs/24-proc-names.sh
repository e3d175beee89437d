# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Programs that go through /proc by name: find, ls, tar, cp, realpath, du, stat, Python, Perl, busybox.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs find tar cp realpath python3 perl

kids='sleep 50 & (sleep 60 &); sleep .2;'
numbers 'find of processes' bash -c "$kids"' find /proc -maxdepth 1 -name "[0-9]*" >list; sort list; find /proc/[0-9]* -maxdepth 1 -name stat >list; sort list; pkill sleep'
numbers 'find of tasks and descriptors' bash -c "$kids"' find /proc/2 -maxdepth 3 -path "*/task/*" -prune -name "[0-9]*" -o -maxdepth 2 -name cwd -printf "%p %y %l\n" | sed s,/tmp/.*/here,here, ; find /proc/[12]/task -maxdepth 1 -name "[0-9]*" >list; sort list; pkill sleep'
numbers 'find -newer, -samefile, -inum, -xtype' bash -c 'find /proc/self/ -maxdepth 1 -samefile /proc/self/root -printf "%f\n"; find /proc -maxdepth 1 -xtype d -name self; find -L /proc/self -maxdepth 1 -name exe -printf "%f %y\n"'
numbers 'ls -l of descriptors and links' bash -c 'exec 5</etc/passwd 6</proc 7</proc/self 8</proc/1/task; ls -l /proc/$$/fd | sed "s/.* \([0-9]* ->\)/\1/" | grep -E "^[5678] "; ls -l /proc/self /proc/thread-self /proc/mounts /proc/net | sed "s,.*/proc/,,"; ls -id /proc/1/ns/pid >/dev/null && ls -lL /proc/1/ns/pid | cut -c1-10'
numbers 'readlink, realpath, pwd' bash -c 'ln -s /proc/self link; ln -s /proc/1/cwd there; readlink link there /proc/self/cwd | sed s,/tmp/.*/here,here,; realpath link link/.. there link/fd/../status /dev/fd /dev/stdin /etc/mtab | sed "s,/proc/[0-9][0-9]*,/proc/N,;s,/tmp/.*/here,here,"; cd link; pwd -P; cd ../1/task; pwd -P; cd ..; pwd -P; cd there 2>/dev/null; pwd'
numbers 'tar, cp and cat of a process' bash -c 'sleep 50 & p=$!; tar -cf p.tar -C /proc/$p --ignore-failed-read status comm stat 2>/dev/null; tar -tf p.tar; mkdir d; cp /proc/$p/status /proc/$p/comm d; grep -E "^(Pid|PPid|Tgid)" d/status; cat d/comm; cp -r /proc/$p/task d/tasks 2>/dev/null; ls d/tasks; tar -cf t.tar -C /proc ./$p/comm; tar -tf t.tar; kill $p'
numbers 'stat, test, dd, head, cmp' bash -c 'sleep 50 & p=$!; stat -c "%n %F" /proc/$p /proc/$p/stat /proc/$p/exe; stat -L -c %F /proc/$p/cwd; test /proc/$p -ef /proc/$p/../$p && echo same; test -e /proc/9999; echo $?; dd if=/proc/$p/stat bs=1 count=2 2>/dev/null; head -c 2 /proc/self/root/proc/$p/stat; cmp /proc/$p/comm /proc/$p/task/$p/comm; echo $?; kill $p'
numbers 'shell: globs, redirections, source, /dev/fd' bash -c 'sleep 50 & p=$!; echo /proc/$p/{stat,comm} /proc/*/comm; read -r n _ </proc/$p/stat; echo $n; read -r n _ </dev/fd/5 5</proc/$p/stat; echo $n; cat <(echo here) /dev/stdin <<<there; cd /proc/$p; read -r n _ <stat; echo $n; read -r n _ <../1/stat; echo $n; [ -d ../9999 ]; echo $?; kill $p'
numbers 'Python: scandir, walk, dir_fd, pathlib' python3 -c '
import os, pathlib
print([e.name for e in sorted(os.scandir("/proc"), key=lambda e: e.name) if e.name.isdigit() and e.is_dir()])
d = os.open("/proc", os.O_RDONLY)
print(open(os.open("1/stat", os.O_RDONLY, dir_fd=d)).read().split()[0], sorted(n for n in os.listdir(d) if n.isdigit()))
print(os.readlink("self", dir_fd=d), os.stat("self/stat", dir_fd=d).st_size, os.access("99999", os.F_OK, dir_fd=d))
print(pathlib.Path("/proc/self/../1/task").resolve(), pathlib.Path("/proc/thread-self").resolve())
for top, dirs, files in os.walk("/proc/1/task"):
    print(top, dirs[:2], len(files) > 5); break
os.chdir("/proc/self/fd"); print(os.getcwd(), sorted(os.listdir("."))[:3])
os.symlink("/proc/1", os.environ["TMPDIR"] + "/l"); print(open(os.environ["TMPDIR"] + "/l/stat").read().split()[0])
print(sorted(os.fwalk("/proc/1/ns").__next__()[2])[:3], os.path.samefile("/proc/1/ns/pid", "/proc/self/ns/pid"))
'
numbers 'Perl: opendir, readlink, -e, chdir' perl -e '
opendir my $d, "/proc"; print join(" ", sort grep /^\d/, readdir $d), "\n"; print readlink("/proc/self"), "\n";
print -e "/proc/1/stat" ? 1 : 0, -e "/proc/9999" ? 1 : 0, -e "/proc/01" ? 1 : 0, "\n"; chdir "/proc/self/task"; print join(" ", glob("*")), "\n";
open my $f, "<", "../../1/stat"; print((split " ", <$f>)[0], "\n")'
if command -v busybox >/dev/null; then
	numbers 'busybox' busybox sh -c 'sleep 50 & p=$!; busybox ls /proc >list; busybox grep "^[0-9]" list | busybox head -n 2; busybox readlink -f /proc/self/../$p/task; busybox find /proc/$p -maxdepth 1 -name stat; busybox stat -c %n /proc/$p; busybox cut -d" " -f1 /proc/$p/stat; kill $p'
fi
finish
