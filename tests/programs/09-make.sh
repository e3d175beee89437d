# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# gcc and make -j2: two Debian source packages, built and tested by their own test suites.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs gcc make dpkg-source apt-get

# The machine's own package lists are left alone: everything of apt's goes to the scratch directory.
fetch='
set -e
mkdir -p apt/lists/partial apt/cache/archives/partial
. /etc/os-release
echo "deb-src http://deb.debian.org/debian $VERSION_CODENAME main" >apt/sources.list
opt=(-q -o Dir::Etc::SourceList="$PWD/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
	-o Dir::State::Lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt/cache"
	-o Acquire::Retries=2 -o Acquire::http::Timeout=10)
apt-get "${opt[@]}" update
apt-get "${opt[@]}" source ed zlib
mkdir source; mv ed-*/ source/ed; mv zlib-*/ source/zlib'
cd "$work" || exit 1
"${drop[@]}" mkdir -p "$work/home" "$work/tmp"
if ! native bash -c "$fetch" >"$work/fetch.log" 2>&1; then
	skip 'a source package' "cannot be fetched: $(tail -n 1 "$work/fetch.log")"
	finish
fi

make='
cp -a ../source/$0 build && cd build && ./configure >configure.log 2>&1 || { cat configure.log; exit 1; }
make -j2 >make.log 2>&1 || { cat make.log; exit 1; }
make check >check.log 2>&1 || { cat check.log; exit 1; }
wc -l <make.log; cat check.log; find . -name "*.o" -o -name "*.a" -o -perm -100 -type f | sort | xargs sha256sum'
same 'ed: configure, make -j2, make check' bash -c "$make" ed
same 'zlib: configure, make -j2, make check' bash -c "$make" zlib
same 'a failing recipe' bash -c '
	printf "all: a b\na:\n\t@exit 3\nb:\n\t@sleep .1; echo b\n" >Makefile; make -j2 -k 2>/dev/null; echo $?'
same 'the job server' bash -c '
	printf "all:\n\t+@\$(MAKE) -s -f sub a b c d\n" >Makefile
	printf "a b c d:\n\t@sleep .05; echo \$@ >>out\n" >sub; make -s -j3; sort out'
same 'compiler reads from a pipe, -flto, -pipe' bash -c '
	printf "int f(void); int main(void) { return f() - 42; }" >a.c; printf "int f(void) { return 42; }" >b.c
	gcc -pipe -flto=2 -O2 a.c b.c -o x && ./x && echo "int v;" | gcc -x c -c - -o - | sha256sum'
finish
