# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# java: its own number, ProcessBuilder, many threads, null pointers caught by SIGSEGV.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs java javac

build 'the class' javac -J-XX:-UsePerfData -d "$work" "$src/Main.java"
# The JVM sizes itself by the machine; fixed sizes keep the runs alike.
run=(java -XX:-UsePerfData -Xmx256m -XX:+UseSerialGC -cp "$work" Main)
numbers 'numbers' "${run[@]}" numbers
same 'ProcessBuilder' "${run[@]}" processes
same '200 threads' "${run[@]}" threads
same 'NullPointerException' "${run[@]}" nulls
same 'stack overflow' "${run[@]}" overflow
same 'G1 and compilers under load' java -XX:-UsePerfData -Xmx256m -XX:+UseG1GC -cp "$work" Main garbage
same 'shutdown hook on TERM' bash -c '"$@" hook >out & while ! grep -q ready out; do sleep .1; done; kill $!; wait $!; echo $?; cat out' bash "${run[@]}"
finish
