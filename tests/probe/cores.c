/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that ends with a core: what its parent is told, and that the file is there where the
 * system writes files.
 */
#include "probe.h"

#include <dirent.h>

static int core_files(void)
{
	DIR *d = opendir(".");
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, "core", 4)) {
			struct stat st;

			n += !stat(e->d_name, &st) && st.st_size > 0;
			unlink(e->d_name);
		}
	if (d)
		closedir(d);
	return n;
}

static void ends_by(int sig)
{
	pid_t child = fork_or_die();
	siginfo_t si;
	int st = 0;

	if (!child) {
		raise(sig);
		_exit(9);
	}
	waitid(P_PID, (id_t)child, &si, WEXITED | WNOWAIT);
	say("signal %d: code %d status %d pid %d", sig, si.si_code, si.si_status, si.si_pid == child);
	waitpid(child, &st, 0);
	say("core %d, files %d", WCOREDUMP(st), core_files());
}

int main(void)
{
	/* Small: /proc/sys/kernel/core_pattern may name a program, which gets none then. */
	struct rlimit lim = {0, 0};

	getrlimit(RLIMIT_CORE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_CORE, &lim);
	say("limit %d", lim.rlim_max != 0);
	ends_by(SIGABRT);
	ends_by(SIGSEGV);
	ends_by(SIGQUIT);
	ends_by(SIGTERM);
	return 0;
}
