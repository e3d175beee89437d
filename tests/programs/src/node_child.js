// SPDX-License-Identifier: Apache-2.0
// child_process: exec, spawn, fork with messages, kill, signals, detached groups.
'use strict';
const { execFile, execFileSync, fork, spawn, spawnSync } = require('child_process');
const { once } = require('events');

if (process.argv[2] === 'child') {
	process.on('message', (m) => {
		process.send({ twice: m.n * 2, parent: process.ppid === m.parent });
		if (m.last) process.disconnect();
	});
} else {
	(async () => {
		console.log(execFileSync('echo', ['sync']).toString());
		console.log(spawnSync('sh', ['-c', 'exit 7']).status, spawnSync('sh', ['-c', 'kill -9 $$']).signal);
		const codes = await Promise.all([...Array(20).keys()].map(async (i) =>
			(await once(spawn('sh', ['-c', `exit ${i}`]), 'exit'))[0]));
		console.log(codes.join());
		const p = spawn('sleep', ['30']);
		console.log(process.kill(p.pid, 0), p.kill('SIGTERM'), (await once(p, 'exit'))[1]);
		try {
			process.kill(p.pid, 0);
		} catch (e) {
			console.log(e.code);
		}
		const d = spawn('sleep', ['30'], { detached: true });
		console.log(process.kill(-d.pid, 'SIGKILL'), (await once(d, 'exit'))[1]);
		const c = fork(__filename, ['child']);
		for (let n = 0; n < 3; n++) {
			c.send({ n, parent: process.pid, last: n === 2 });
			console.log(JSON.stringify((await once(c, 'message'))[0]));
		}
		console.log((await once(c, 'exit'))[0]);
		const got = once(process, 'SIGUSR2');
		process.kill(process.pid, 'SIGUSR2');
		console.log((await got)[0]);
		execFile('/nonexistent', (e) => console.log(e.code));
		execFile('sleep', ['30'], { timeout: 200 }, (e) => console.log(e.killed, e.signal));
	})();
}
