# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# node: child_process, worker_threads, cluster.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs node

numbers 'numbers' node -e 'console.log(process.pid, process.ppid)'
same 'child_process' node "$src/node_child.js"
same 'worker_threads' node "$src/node_worker.js"
same 'cluster' node "$src/node_cluster.js"
finish
