/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid exec NAME COMMAND [ARG...]: a process that enters a running container.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/names.h"
#include "cli/terminal.h"
#include "supervisor/supervisor.h"

extern char **environ;

struct plan {
	const char *name;
	char **argv;
	const char *workdir;
	bool detach, tty;
};

static int set_variable(const struct cli_args *args)
{
	const char *eq = strchr(args->value, '=');
	char *key;
	int r = 0;

	if (eq == args->value || !*args->value)
		return cli_usage_error(args->command, "--env: '%s' is not KEY=VALUE", args->value);
	if (!eq)
		return 0; /* the caller's, which it has anyway */
	key = strndup(args->value, (size_t)(eq - args->value));
	if (!key || setenv(key, eq + 1, 1) < 0)
		r = cli_usage_error(args->command, "no memory");
	free(key);
	return r;
}

/* Signals for us are for what we started: it is in another session, and hears of no Ctrl-C. */
static void pass_signals(subpid *s, const char *name, int pid, int entered)
{
	static const int sigs[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		sigaddset(&set, sigs[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	for (;;) {
		struct pollfd p[] = {{.fd = entered, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
		struct signalfd_siginfo si;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[0].revents)
			break;
		if (p[1].revents && read(fd, &si, sizeof(si)) == sizeof(si) &&
		    subpid_signal(s, name, pid, (int)si.ssi_signo) < 0)
			break;
	}
	close(fd);
}

static int status_of(int w)
{
	if (WIFSIGNALED(w))
		sv_die_of(WTERMSIG(w));
	return WEXITSTATUS(w);
}

/* On a terminal, or when one is wanted, it gets one of its own. */
static int open_terminal(const struct plan *p, struct subpid_command *c, int *ret_master)
{
	int slave, err;
	bool any = p->tty;

	*ret_master = -1;
	for (int i = 0; i < 3; i++)
		any |= isatty(i);
	if (!any || p->detach)
		return 0;
	err = cli_pty_open(ret_master, &slave);
	if (err) {
		cli_say("exec: cannot make a terminal: %s", strerror(err));
		return CLI_OWN;
	}
	for (int i = 0; i < 3; i++)
		if (p->tty || isatty(i))
			c->fd[i] = slave;
	c->flags |= SUBPID_TERMINAL;
	return 0;
}

static int enter(subpid *s, const struct plan *p, struct subpid_command *c)
{
	int master, pid, w, entered, status = open_terminal(p, c, &master);
	bool in = c->fd[0] > 2, out = c->fd[1] > 2 || c->fd[2] > 2;

	if (status)
		return status;
	entered = subpid_enter(s, p->name, c, &pid);
	for (int i = 0; i < 3; i++)
		if (c->fd[i] > 2) {
			close(c->fd[i]);
			break; /* they are one */
		}
	if (entered < 0) {
		cli_say_why(s, p->name, entered);
		return CLI_OWN;
	}
	if (p->detach) {
		printf("%d\n", pid);
		return CLI_OK;
	}
	if (master >= 0)
		cli_pty_relay(master, entered, in, out);
	else
		pass_signals(s, p->name, pid, entered);
	if (subpid_enter_wait(entered, &w) < 0)
		return CLI_OWN;
	return status_of(w);
}

/* Standard descriptors that the caller closed are nobody's. */
static void fill_standard_fds(bool detach)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 || (detach && fd == 0))
			dup2(null, fd);
	if (null > 2)
		close(null);
}

static int parse(struct cli_args *args, struct plan *p)
{
	int o, r = 0;

	*p = (struct plan){.name = NULL};
	while (!r && (o = cli_args_next(args)) > 0)
		switch (o) {
		case CLI_O_DETACH:
			p->detach = true;
			break;
		case CLI_O_TTY:
			p->tty = true;
			break;
		case CLI_O_ENV:
			r = set_variable(args);
			break;
		case CLI_O_WORKDIR:
			p->workdir = args->value;
			break;
		default:
			break;
		}
	if (r || o < 0)
		return r ? r : args->status ? args->status : -1;
	p->name = args->operand[0];
	p->argv = args->n ? args->operand + 1 : args->operand;
	if (args->n > 1 && strcmp(p->argv[0], "--") == 0)
		p->argv++;
	if (!p->name || !p->argv[0])
		return cli_usage_error(args->command,
				       "%s; usage: subpid exec NAME [--] COMMAND [ARG...]",
				       p->name ? "no command given" : "no name given");
	return 0;
}

int cli_exec(struct cli_args *args)
{
	struct subpid_command c = {.fd = {0, 1, 2}};
	struct cli_program program;
	struct plan p;
	int status = parse(args, &p);
	subpid *s;

	if (status)
		return status < 0 ? CLI_OK : status;
	s = cli_subpid();
	if (!s)
		return CLI_OWN;
	if (p.workdir && chdir(p.workdir) < 0) {
		cli_say("%s: %s", p.workdir, strerror(errno));
		subpid_close(s);
		return CLI_OWN;
	}
	status = cli_program(p.argv, &program);
	if (status == 0) {
		fill_standard_fds(p.detach);
		c.path = program.path;
		c.argv = (const char *const *)program.argv;
		c.envp = (const char *const *)environ;
		if (p.detach)
			c.flags |= SUBPID_DETACHED;
		status = enter(s, &p, &c);
	}
	subpid_close(s);
	return status;
}
