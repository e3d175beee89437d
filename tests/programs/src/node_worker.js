// SPDX-License-Identifier: Apache-2.0
// worker_threads: messages, shared memory, a program started from each worker.
'use strict';
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const { execFileSync } = require('child_process');

if (isMainThread) {
	const shared = new SharedArrayBuffer(4);
	const results = [];
	for (let i = 0; i < 6; i++) {
		const w = new Worker(__filename, { workerData: { i, shared } });
		w.on('message', (m) => results.push(m));
		w.on('exit', (code) => {
			if (code) console.log('worker ended with', code);
			if (results.length === 6) {
				results.sort();
				console.log(results.join(' '), new Int32Array(shared)[0]);
				results.push('');
			}
		});
	}
} else {
	const { i, shared } = workerData;
	for (let n = 0; n < 1000; n++) Atomics.add(new Int32Array(shared), 0, 1);
	parentPort.postMessage(execFileSync('sh', ['-c', `echo ${i}`]).toString().trim() + ':' +
		(Number(execFileSync('sh', ['-c', 'echo $PPID'])) === process.pid));
}
