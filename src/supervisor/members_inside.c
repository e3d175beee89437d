/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tasks of a namespace that was made inside of one. Who serves it is itself a program there: what it
 * knows is what /proc shows it, in the numbers of the namespace around.
 */
#include "supervisor/members.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "supervisor/procs.h"
#include "supervisor/util.h"

/* The number one level down, 0: it is not below; *ret_threads as the kernel counts. */
static int number_below(int pid, int32_t *ret_threads)
{
	char path[40], text[4096], *p;
	sv_auto_fd fd = -1;
	ssize_t n;
	long own;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strstr(text, "\nThreads:");
	*ret_threads = p ? (int32_t)strtol(p + 9, NULL, 10) : 1;
	p = strstr(text, "\nNSpid:");
	if (!p)
		return 0;
	own = strtol(p + 7, &p, 10);
	return own == pid && *p == '\t' ? (int)strtol(p, NULL, 10) : 0;
}

static int by_number(const void *a, const void *b)
{
	return ((const struct sv_task *)a)->number - ((const struct sv_task *)b)->number;
}

static int add(struct sv_task **list, size_t *n, const struct sv_task *t)
{
	struct sv_task *more = *list;

	if ((*n & (*n + 1)) == 0) /* room for 1, 3, 7, ... is used up */
		more = realloc(*list, (2 * *n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	*list = more;
	more[(*n)++] = *t;
	return 0;
}

int sv_members_inside(sp_hpid init, struct sv_task **ret, size_t *ret_n, int32_t *ret_threads)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int r = d ? 0 : sv_errno();

	*ret = NULL;
	*ret_n = 0;
	*ret_threads = 0;
	while (r == 0 && (e = readdir(d))) {
		int pid = isdigit((unsigned char)e->d_name[0]) ? atoi(e->d_name) : 0;
		int32_t threads;
		int number = pid ? number_below(pid, &threads) : 0;
		struct sv_task t = {.number = number, .group = number, .host = pid};

		if (!number || !sv_proc_descends(sp_hpid_of(pid), init))
			continue;
		*ret_threads += threads;
		r = add(ret, ret_n, &t);
	}
	if (d)
		closedir(d);
	if (*ret_n)
		qsort(*ret, *ret_n, sizeof(**ret), by_number);
	return r;
}

/* The number may be another's by now; what the descriptor holds is asked once more. */
static int signal_one(sp_hpid init, int pid, int number, int sig)
{
	sv_auto_fd fd = sv_pidfd(sp_hpid_of(pid));
	int32_t threads;
	long r;

	if (fd < 0)
		return fd;
	if (number_below(pid, &threads) != number || !sv_proc_descends(sp_hpid_of(pid), init))
		return -ESRCH;
	r = syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
	return r < 0 ? sv_errno() : 0;
}

int sv_members_inside_signal(sp_hpid init, int number, int sig)
{
	struct sv_task *task;
	int32_t threads;
	size_t n;
	int r = sv_members_inside(init, &task, &n, &threads), result = -ESRCH;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (number ? task[i].number == number : task[i].number > 1) {
			int s = signal_one(init, task[i].host, task[i].number, sig);

			result = number ? s : 0;
		}
	free(task);
	return r < 0 ? r : result;
}
