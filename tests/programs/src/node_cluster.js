// SPDX-License-Identifier: Apache-2.0
// cluster: two workers serve one loopback port; one of them is killed and noticed.
'use strict';
const cluster = require('cluster');
const http = require('http');

if (cluster.isPrimary) {
	let ready = 0;
	for (let i = 0; i < 2; i++) cluster.fork();
	cluster.on('listening', (worker, address) => {
		if (++ready < 2) return;
		let left = 20;
		const ask = () => http.get({ port: address.port, host: '127.0.0.1' }, (r) => {
			r.resume();
			r.on('end', () => {
				if (--left) return ask();
				console.log('answered');
				process.kill(worker.process.pid, 'SIGKILL');
			});
		});
		ask();
	});
	cluster.once('exit', (worker, code, signal) => {
		console.log('exit', signal);
		for (const w of Object.values(cluster.workers)) w.kill();
	});
} else {
	http.createServer((q, r) => r.end(String(process.pid))).listen(0, '127.0.0.1');
}
