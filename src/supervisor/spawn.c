/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the supervisor's child to the resident. Up to the exec this is our own code with all signals
 * blocked; what it cannot do it reports through a socket that exec closes. It keeps the caller's
 * descriptors, session, process group, signals, limits and environment; of ours only the hidden
 * descriptors stay open.
 */
#include "supervisor/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "resident/handover.h"
#include "supervisor/join.h"
#include "supervisor/landlock.h"
#include "supervisor/util.h"

static _Noreturn void give_up(int link, const struct sv_fail *fail)
{
	ssize_t n = write(link, fail, sizeof(*fail));

	(void)n;
	_exit(125);
}

/* The program's arguments with the hand-over in front of them. */
static char **with_handover(const struct sv_boot *b, char text[RS_HO_MAX])
{
	const struct sv_job *job = b->job;
	struct rs_handover h = {
		.segment_fd = (uint32_t)b->seg->segment_fd,
		.target_fd = ~0u,
		.flags = RS_HO_FIRST,
	};
	size_t n = 0;
	char **argv;

	if (b->caller.ignored & sv_sig_bit(SIGSYS))
		h.flags |= RS_HO_SIGSYS_IGNORED;
	if (b->caller.mask & sv_sig_bit(SIGSYS))
		h.flags |= RS_HO_SIGSYS_BLOCKED;
	if (b->no_new_privs)
		h.flags |= RS_HO_NO_NEW_PRIVS;
	rs_handover_format(text, &h);
	while (job->argv[n])
		n++;
	argv = malloc((n + RS_HO_SLOTS + 1) * sizeof(*argv));
	if (!argv)
		return NULL;
	argv[0] = text;
	argv[1] = strdup(job->path);
	memcpy(argv + RS_HO_SLOTS, job->argv, (n + 1) * sizeof(*argv));
	return argv[1] ? argv : NULL;
}

/* dup2 onto itself would leave the close-on-exec flag. */
static int place(int fd, int at)
{
	if (fd == at)
		return fcntl(fd, F_SETFD, 0);
	return dup2(fd, at);
}

static void become_resident(const struct sv_boot *b, int link, int orders, struct sv_fail *fail)
{
	char text[RS_HO_MAX], c;
	char **argv = with_handover(b, text);

	if (!argv) {
		sv_failed(fail, -ENOMEM, "cannot start the program");
		return;
	}
	/* Its end, without the byte, is the supervisor's end. */
	if (read(link, &c, 1) != 1)
		_exit(125);
	/*
	 * The namespace's own domain. It protects the supervisor from the members; where it cannot be had
	 * (or not proven) the supervisor's scope alone still makes the end safe and whole.
	 */
	if (sv_scope_enter(sp_hpid_of(getppid())) == 0)
		atomic_fetch_or(&b->seg->flags, SP_SEG_SCOPED);
	if (orders >= 0)
		sv_porter_leave(b, orders);
	if (place(b->segment_fd, b->seg->segment_fd) < 0 ||
	    (b->seg->resident_fd >= 0 && place(b->resident_fd, b->seg->resident_fd) < 0)) {
		sv_failed(fail, sv_errno(), "cannot place the hidden descriptors");
		return;
	}
	if (b->job->new_session)
		setsid();
	setrlimit(RLIMIT_NOFILE, &b->nofile);
	setrlimit(RLIMIT_FSIZE, &b->fsize);
	sv_signals_give(&b->caller);
	syscall(SYS_execveat, b->resident_fd, "", argv, b->job->envp, AT_EMPTY_PATH);
	if (errno == E2BIG) {
		/* Also what the program's own exec would say. */
		atomic_store(&b->seg->init_errno, E2BIG);
		_exit(126);
	}
	sv_failed(fail, sv_errno(), "cannot execute the resident");
}

int sv_init_fork(const struct sv_boot *b, struct sv_init *ret, struct sv_fail *fail)
{
	sp_hpid parent = sp_hpid_of(getpid());
	int link[2], orders[2] = {-1, -1};

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) < 0)
		return sv_failed(fail, sv_errno(), "cannot create a socket");
	/* Whom nobody finds, nobody can enter. */
	if (b->record.ctl >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, orders) < 0)
		return sv_failed(fail, sv_errno(), "cannot create a socket");
	ret->pid = sp_hpid_of(fork());
	if (ret->pid.n == 0) {
		struct sv_fail why;

		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		/* The supervisor may have died before that took effect. */
		if (getppid() != parent.n)
			_exit(125);
		close(link[0]);
		sv_fd_done(&orders[0]);
		become_resident(b, link[1], orders[1], &why);
		give_up(link[1], &why);
	}
	close(link[1]);
	sv_fd_done(&orders[1]);
	ret->link = link[0];
	ret->porter = orders[0];
	if (ret->pid.n < 0)
		return sv_failed(fail, sv_errno(), "cannot fork");
	return 0;
}

void sv_init_go(struct sv_init *init)
{
	send(init->link, "", 1, MSG_NOSIGNAL);
}
