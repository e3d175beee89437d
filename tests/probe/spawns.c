/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_spawn with every attribute, popen and system: what the child starts with, which numbers are
 * taken also when nothing could be started, and what the parent is like afterwards.
 */
#include "probe.h"
#include <spawn.h>

extern char **environ;

static const char *self;

static int show(const char *name)
{
	struct ksigaction usr1, usr2, sys;

	SC(SYS_rt_sigaction, SIGUSR1, NULL, &usr1, 8);
	SC(SYS_rt_sigaction, SIGUSR2, NULL, &usr2, 8);
	SC(SYS_rt_sigaction, SIGSYS, NULL, &sys, 8);
	say("%s: %s/%s of %s, group %s session %s, mask %s, USR1 %s USR2 %s SYS %s, sched %d, fd 9 "
	    "%s",
	    name, rc(SC(SYS_getpid)), rc(SC(SYS_gettid)), rc(SC(SYS_getppid)),
	    rc(SC(SYS_getpgid, 0)), rc(SC(SYS_getsid, 0)), mask_text(raw_mask()),
	    usr1.handler == SIG_IGN ? "ignored" : "default",
	    usr2.handler == SIG_IGN ? "ignored" : "default",
	    sys.handler == SIG_IGN ? "ignored" : "default", sched_getscheduler(0),
	    fcntl(9, F_GETFD) >= 0 ? "open" : "closed");
	return 40;
}

static void spawn(const char *name, const char *path, posix_spawnattr_t *attr,
		  posix_spawn_file_actions_t *fa, int search)
{
	char *argv[] = {(char *)"child", (char *)name, NULL};
	pid_t pid = -7;
	int r = search ? posix_spawnp(&pid, path, fa, attr, argv, environ)
		       : posix_spawn(&pid, path, fa, attr, argv, environ);

	if (r)
		say("%s: %s", name, err(r));
	else
		say("%s = %s", name, reap(pid));
}

static void attribute(const char *name, short flags, pid_t group)
{
	posix_spawnattr_t a;
	sigset_t mask, def;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGSYS);
	sigemptyset(&def);
	sigaddset(&def, SIGUSR1);
	sigaddset(&def, SIGSYS);
	posix_spawnattr_init(&a);
	posix_spawnattr_setflags(&a, flags);
	posix_spawnattr_setpgroup(&a, group);
	posix_spawnattr_setsigmask(&a, &mask);
	posix_spawnattr_setsigdefault(&a, &def);
	spawn(name, self, &a, NULL, 0);
	posix_spawnattr_destroy(&a);
}

static void attributes(void)
{
	pid_t leader;

	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGSYS, SIG_IGN);
	set_raw_mask(BIT(SIGHUP) | BIT(SIGSYS));
	attribute("none", 0, 0);
	attribute("own group", POSIX_SPAWN_SETPGROUP, 0);
	leader = sleeper();
	setpgid(leader, leader);
	attribute("a group", POSIX_SPAWN_SETPGROUP, leader);
	end(leader);
	attribute("a dead group", POSIX_SPAWN_SETPGROUP, leader);
	attribute("a bad group", POSIX_SPAWN_SETPGROUP, 4711);
	attribute("mask", POSIX_SPAWN_SETSIGMASK, 0);
	attribute("default", POSIX_SPAWN_SETSIGDEF, 0);
	attribute("mask and default", POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF, 0);
#ifdef POSIX_SPAWN_SETSID
	attribute("session", POSIX_SPAWN_SETSID, 0);
	attribute("session and group", POSIX_SPAWN_SETSID | POSIX_SPAWN_SETPGROUP, 0);
#endif
	attribute("reset ids", POSIX_SPAWN_RESETIDS, 0);
#ifdef POSIX_SPAWN_USEVFORK
	attribute("vfork", POSIX_SPAWN_USEVFORK, 0);
#endif
	say("mask %s", mask_text(raw_mask()));
	set_raw_mask(0);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	signal(SIGSYS, SIG_DFL);
}

static void files(void)
{
	posix_spawn_file_actions_t fa;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, fd, 9);
	spawn("dup2", self, NULL, &fa, 0);
	posix_spawn_file_actions_addopen(&fa, 10, "/nonexistent", O_RDONLY, 0);
	spawn("failing open", self, NULL, &fa, 0);
	posix_spawn_file_actions_destroy(&fa);
	close(fd);
}

static void missing(void)
{
	spawn("missing", "/nonexistent/program", NULL, NULL, 0);
	spawn("directory", "/", NULL, NULL, 0);
	spawn("by name, missing", "no-such-program-here", NULL, NULL, 1);
	spawn("after them", self, NULL, NULL, 0);
	say("children left %s", rc(SC(SYS_wait4, -1, NULL, WNOHANG, NULL)));
}

static void shells(void)
{
	char buf[64] = "";
	FILE *f;

	say("system %s", status_text(system("exit 5")));
	say("system %s", status_text(system("kill -9 $$")));
	f = popen("echo from popen", "r");
	if (f && fgets(buf, sizeof(buf), f))
		buf[strcspn(buf, "\n")] = 0;
	say("popen \"%s\" %s", buf, f ? status_text(pclose(f)) : "failed");
	spawn("next", self, NULL, NULL, 0);
}

static void *in_thread(void *p)
{
	attributes();
	return NULL;
}

static void all(void)
{
	pthread_t t;

	attributes();
	files();
	missing();
	shells();
	pthread_create(&t, NULL, in_thread, NULL);
	pthread_join(t, NULL);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return show(argv[1]);
	self = argv[0];
	all();
	in_child("all in a child", all);
	show("init");
	return 0;
}
