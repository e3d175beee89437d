/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/tell.h"

#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "supervisor/util.h"

void sv_ring(const struct sv_boot *b)
{
	send(b->ctl_super, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void sv_wake(const struct sv_boot *b)
{
	ssize_t n = write(b->wake_w, "", 1);

	(void)n;
}

void sv_tell_stop(const struct sv_boot *b, const siginfo_t *si)
{
	if (si->si_code == CLD_STOPPED) {
		atomic_store(&b->shared->stopped, (uint32_t)si->si_status);
		atomic_fetch_add(&b->shared->stops, 1);
		sv_ring(b);
	} else if (si->si_code == CLD_CONTINUED) {
		atomic_store(&b->shared->stopped, 0);
		sv_wake(b);
	}
}

_Noreturn void sv_leave(const struct sv_boot *b, enum sv_ended how)
{
	atomic_store_explicit(&b->shared->ended, (uint32_t)how, memory_order_release);
	sv_ring(b);
	sv_wake(b);
	_exit(0);
}

void sv_ignore_terminal(void)
{
	static const int sigs[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGHUP, SIGPIPE};

	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		signal(sigs[i], SIG_IGN);
}

int sv_children_fd(void)
{
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	return signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
}

void sv_let_go(const int *keep, size_t n)
{
	for (int fd = 0; fd < 3; fd++)
		sv_fd_blank(fd);
	sv_close_others(keep, n);
	if (chdir("/") < 0)
		return;
}
