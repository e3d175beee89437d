/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pipe that is opened by its handle: a signal ends the wait for a writer.
 *
 * privileged: yes
 */
#include "probe.h"

struct handle {
	unsigned int bytes;
	int type;
	unsigned char data[128];
};

static volatile int came;

static void on_alarm(int sig)
{
	(void)sig;
	came++;
}

static void ring(void)
{
	struct itimerval soon = {.it_value = {.tv_usec = 50000}, .it_interval = {.tv_usec = 50000}};

	came = 0;
	setitimer(ITIMER_REAL, &soon, NULL);
}

static void silence(void)
{
	struct itimerval none = {0};

	setitimer(ITIMER_REAL, &none, NULL);
}

static void by_handle(void)
{
	struct handle h = {.bytes = sizeof(h.data)};
	int mount, dir;
	long r;

	if (mkfifo("pipe", 0600))
		die("mkfifo");
	r = SC(SYS_name_to_handle_at, AT_FDCWD, "pipe", &h, &mount, 0);
	dir = open(".", O_RDONLY | O_DIRECTORY);
	if (r) {
		say("no handles");
	} else {
		ring();
		r = SC(SYS_open_by_handle_at, dir, &h, O_RDONLY);
		silence();
		say("handle: %s, signal %d", rc(r), r == -EPERM || came > 0);
		r = SC(SYS_open_by_handle_at, dir, &h, O_RDONLY | O_NONBLOCK);
		say("handle, without waiting: %s", r < 0 ? rc(r) : "open");
		if (r >= 0)
			close((int)r);
	}
	close(dir);
	unlink("pipe");
}

int main(void)
{
	struct sigaction sa = {.sa_handler = on_alarm};

	sigaction(SIGALRM, &sa, NULL);
	by_handle();
	say("the next descriptor is %d", dup(0));
	return 0;
}
