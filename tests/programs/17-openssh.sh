# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# ssh-keygen, ssh-agent, openssl: random bytes, agents that fork, children at full load.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs ssh-keygen ssh-agent openssl

same 'ssh-keygen' bash -c '
	for t in ed25519 ecdsa rsa; do ssh-keygen -q -t $t -N "" -f $t && ssh-keygen -l -f $t.pub | cut -d" " -f1,4; done
	echo text >m; ssh-keygen -q -Y sign -f ed25519 -n file m 2>/dev/null; ssh-keygen -q -Y check-novalidate -n file -s m.sig <m | cut -d" " -f1,2'
same 'ssh-agent' bash -c '
	ssh-keygen -q -t ed25519 -N "" -f k -C me; eval "$(ssh-agent -s)" >/dev/null; ssh-add -q k; ssh-add -l | cut -d" " -f1,3
	kill -0 $SSH_AGENT_PID && ps -o comm= -p $SSH_AGENT_PID; ssh-agent -k >/dev/null; echo $?; ssh-agent sh -c "[ \$SSH_AGENT_PID != \$\$ ] && ssh-add -l; kill \$SSH_AGENT_PID"; echo $?'
same 'openssl speed -multi 2' bash -c 'openssl speed -multi 2 -seconds 1 -bytes 1024 sha256 2>&1 | grep -cE "^sha256|^Got: "'
same 'openssl: keys, digests, random numbers differ between children' bash -c '
	openssl genpkey -algorithm ed25519 -out k 2>/dev/null; openssl pkey -in k -pubout | head -n 1; seq 9 | openssl dgst -sha256
	for i in $(seq 20); do openssl rand -hex 16 & done | sort -u | wc -l; wait'
finish
