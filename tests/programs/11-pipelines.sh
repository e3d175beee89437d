# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# tar|xz, sort, find -exec, xargs -P, split, sh loops: many short processes and pipes.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs tar xz find xargs

tree='mkdir t; for i in $(seq 40); do seq $i 2000 >t/$i; done'
same 'tar | xz | tar' bash -c "$tree"'
	tar --sort=name --mtime=@0 --owner=0 --group=0 -cf - t | xz -1 -T2 | xz -d | tee >(sha256sum >sum) | tar -tf - | wc -l; sleep .2; cat sum'
same 'tar with a compressor of its own' bash -c "$tree"'
	tar -cJf t.txz t && mv t u && tar -xf t.txz && diff -r t u && echo same; tar -c --use-compress-program="gzip -1" -f t.tgz t; tar -tzf t.tgz | wc -l'
same 'find -exec' bash -c "$tree"'
	find t -type f -exec sh -c "head -n 1 \$1" _ {} \; | sort -n | tail -n 3; find t -type f -exec wc -l {} + | tail -n 1; find t -name 1 -execdir cat {} \; | wc -l'
same 'xargs -P' bash -c "$tree"'
	ls t | xargs -P 4 -n 1 -I{} sh -c "wc -l <t/{}" | sort -n | sha256sum; seq 200 | xargs -P 8 -n 1 sh -c "exit 0"; echo $?; seq 3 | xargs -n 1 sh -c "exit 255"; echo $?'
same 'parallel sort, split --filter' bash -c '
	seq 200000 | sort -R --random-source=/dev/zero | sort -n --parallel=2 -S 1M | sha256sum; seq 1000 | split -n r/4 --filter="wc -l" | sort -n'
same 'long pipeline' bash -c 'seq 1000 | cat | cat | cat | cat | cat | cat | tac | head -n 5; echo "${PIPESTATUS[@]}" | wc -w'
same 'awk and sed that start programs' bash -c '
	awk "BEGIN { \"echo sub\" | getline x; print x; print \"b\\na\" | \"sort\"; close(\"sort\"); print system(\"exit 4\") }"; echo 1 | sed "s/.*/echo from sed/e"'
finish
