# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# git: commits, hooks, gc, clones, daemon on the loopback device.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs git

setup='
export GIT_AUTHOR_DATE="2020-01-01T00:00:00Z" GIT_COMMITTER_DATE="2020-01-01T00:00:00Z" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b GIT_PAGER=cat
git init -q -b main repo && cd repo
for i in 1 2 3 4 5; do seq $i 100 >f$i; git add . && git commit -q -m "commit $i"; done'
same 'init, commit, log' bash -c "$setup"'; git log --oneline --stat; git status --short; git fsck --full'
same 'gc and repack' bash -c "$setup"'; git gc -q --prune=now --aggressive; git count-objects -v; git fsck; git rev-parse HEAD'
same 'clone, fetch, push' bash -c "$setup"'
	cd ..; git clone -q --bare repo bare.git; git clone -q "file://$PWD/bare.git" copy; cd copy; seq 7 >g; git add g
	git commit -q -m more; git push -q origin main; git -C ../bare.git log --oneline; git -C ../repo pull -q ../bare.git main; git -C ../repo rev-parse HEAD'
same 'branches, merge, rebase, bisect' bash -c "$setup"'
	git checkout -q -b side HEAD~2; seq 50 >s; git add s; git commit -q -m side; git rebase -q main; git checkout -q main; git merge -q side
	git bisect start HEAD HEAD~4 >/dev/null; git bisect run sh -c "! test -e f4" | grep "is the first bad commit"; git bisect reset 2>/dev/null'
same 'hooks and filters' bash -c "$setup"'
	printf "#!/bin/sh\necho hook ran\n" >.git/hooks/pre-commit; chmod +x .git/hooks/pre-commit
	git config filter.up.clean "tr a-z A-Z"; echo "*.up filter=up" >.gitattributes; echo text >x.up
	git add . ; git commit -q -m hooked 2>&1; git show HEAD:x.up; GIT_PAGER="sed s/^/p:/" git -c core.pager="sed s/^/p:/" log --oneline -1'
finish
