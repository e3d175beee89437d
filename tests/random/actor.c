/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process or thread: waits for operations, and takes signals meanwhile. No thread local storage:
 * threads are made by bare clone calls and share their creator's.
 */
#include "random.h"

static void handler(int sig, siginfo_t *si, void *context)
{
	int tid = (int)SC(SYS_gettid);

	(void)context;
	for (int i = 0; i < SLOTS; i++) {
		struct slot *s = &ALL->slots[i];
		int n = s->logged;

		if (!s->alive || s->tid != tid)
			continue;
		if (n < LOGGED) {
			s->log[n] = (struct note){sig, si->si_code, si->si_pid, tid, 0};
			if (si->si_code < 0 && si->si_code != SI_TKILL)
				s->log[n].value = (long)si->si_value.sival_ptr;
			s->logged = n + 1;
		}
		return;
	}
}

void install_handlers(void)
{
	static const int handled[] = {SIGUSR1, SIGUSR2, SIG_Q1, SIG_Q2, SIGSYS};
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};

	for (size_t i = 0; i < COUNT(handled); i++)
		sigaction(handled[i], &sa, NULL);
}

static const struct op *op_of(int number)
{
	static const struct op *const tables[] = {ops_signal, ops_life, ops_task, ops_file};

	for (size_t t = 0; t < COUNT(tables); t++)
		for (const struct op *op = tables[t]; op->name; op++)
			if (!number--)
				return op;
	return NULL;
}

const struct op *op_numbered(int number);
const struct op *op_numbered(int number)
{
	return op_of(number);
}

int actor(void *arg)
{
	int slot = (int)(long)arg, in = PIPE_FD + 4 * slot, out = PIPE_FD + 4 * slot + 3;
	char c;

	for (;;) {
		long n = SC(SYS_read, in, &c, 1);

		if (n == -EINTR)
			continue;
		if (n != 1)
			SC(SYS_exit_group, 97);
		if (c == 'o')
			op_of(ALL->op)->run(slot);
		while (SC(SYS_write, out, &c, 1) == -EINTR)
			;
	}
}
