/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relaying between two terminals; see terminal.h. The caller's is in raw mode meanwhile: Ctrl-C and Ctrl-Z are
 * bytes that go to the inner one, whose kernel side makes signals of them.
 */
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "supervisor/supervisor.h"

#define DRAIN_MSEC 50 /* what was written before the end is there at once */

static struct termios before;
static bool raw;

/* The caller's terminal, or -1. */
static int callers(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd))
			return fd;
	return -1;
}

int cli_pty_open(int *ret_master, int *ret_slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave, tty = callers();
	struct winsize size;
	struct termios t;

	if (master < 0)
		return errno;
	if (grantpt(master) < 0 || unlockpt(master) < 0 ||
	    (slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) {
		int err = errno;

		close(master);
		return err;
	}
	if (tty >= 0 && ioctl(tty, TIOCGWINSZ, &size) == 0)
		ioctl(master, TIOCSWINSZ, &size);
	if (tty >= 0 && tcgetattr(tty, &t) == 0)
		tcsetattr(slave, TCSANOW, &t);
	*ret_master = master;
	*ret_slave = slave;
	return 0;
}

static void restore(void)
{
	int tty = callers();

	if (raw && tty >= 0)
		tcsetattr(tty, TCSADRAIN, &before);
	raw = false;
}

static void make_raw(void)
{
	struct termios t;
	int tty = callers();

	if (tty < 0 || tcgetattr(tty, &before) < 0)
		return;
	t = before;
	cfmakeraw(&t);
	raw = tcsetattr(tty, TCSADRAIN, &t) == 0;
}

static void follow_size(int master)
{
	struct winsize size;
	int tty = callers();

	if (tty >= 0 && ioctl(tty, TIOCGWINSZ, &size) == 0)
		ioctl(master, TIOCSWINSZ, &size);
}

static bool write_all(int fd, const char *data, ssize_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, (size_t)len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = {.fd = fd, .events = POLLOUT};

			poll(&p, 1, -1);
		} else if (n < 0 && errno != EINTR) {
			return false;
		}
		if (n > 0) {
			data += n;
			len -= n;
		}
	}
	return true;
}

/* False: nothing more will come. */
static bool copy(int from, int to)
{
	char buf[16384];
	ssize_t n = read(from, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	return n > 0 && write_all(to, buf, n);
}

/* 0x04: the inner terminal's end of file, if it reads by lines. */
static void end_input(int master)
{
	struct termios t;
	char eof = 4;

	if (tcgetattr(master, &t) == 0)
		eof = (char)t.c_cc[VEOF];
	write_all(master, &eof, 1);
}

static int open_signals(void)
{
	static const int sigs[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		sigaddset(&set, sigs[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* Also when it is inherited as ignored. */
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void cli_pty_relay(int master, int ended, bool input, bool output)
{
	int sigfd = open_signals();
	bool over = false;

	make_raw();
	while (true) {
		struct pollfd p[] = {
			{.fd = output ? master : -1, .events = POLLIN},
			{.fd = input && !over ? 0 : -1, .events = POLLIN},
			{.fd = over ? -1 : ended, .events = POLLIN},
			{.fd = sigfd, .events = POLLIN},
		};
		struct signalfd_siginfo si;
		int n = poll(p, 4, over ? DRAIN_MSEC : -1);

		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		if (p[0].revents && !copy(master, 1))
			output = false;
		if (p[1].revents && !copy(0, master)) {
			input = false;
			end_input(master);
		}
		if (p[2].revents)
			over = true;
		if (over && !output)
			break;
		while (p[3].revents && read(sigfd, &si, sizeof(si)) == sizeof(si)) {
			if (si.ssi_signo == SIGWINCH) {
				follow_size(master);
				continue;
			}
			/* Meant for us: what was started is told by the end of its terminal. */
			restore();
			sv_die_of((int)si.ssi_signo);
		}
	}
	restore();
	close(sigfd);
}
