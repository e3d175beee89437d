/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reboot(2) by somebody who may: ends the namespace, whose number 1 seems to have died of a signal that says why.
 *
 * privileged: yes
 * args: wrong restart restart2 halt poweroff child thread orphan
 */
#include "probe.h"

#define MAGIC 0xfee1deadul
#define RESTART 0x01234567ul
#define RESTART2 0xa1b2c3d4ul
#define HALT 0xcdef0123ul
#define POWER_OFF 0x4321fedcul
#define JUNK 0xdeadbeef00000000ul

static const unsigned long magic2[] = {672274793, 85072278, 369367448, 537993216};

static void wrong(void)
{
	static const unsigned long cmds[] = {0, 0x89abcdef, 0xd000fce2, 0x45584543, 1};

	say("magic %s %s %s", rc(SC(SYS_reboot, 1, magic2[0], RESTART)),
	    rc(SC(SYS_reboot, MAGIC, 1, RESTART)), rc(SC(SYS_reboot)));
	for (size_t i = 0; i < COUNT(magic2); i++)
		for (size_t j = 0; j < COUNT(cmds); j++)
			say("%lu %lx %s", magic2[i], cmds[j],
			    rc(SC(SYS_reboot, MAGIC | JUNK, magic2[i] | JUNK, cmds[j] | JUNK, WILD)));
}

static void *by_thread(void *arg)
{
	say("thread %s", rc(SC(SYS_reboot, MAGIC, magic2[3], RESTART)));
	return NULL;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct gate g = gate_new();
	pthread_t t;
	pid_t pid = 0;

	wrong();
	/* Somebody else, whom number 1's end must end. */
	if (!fork_or_die()) {
		setsid();
		signal(SIGTERM, SIG_IGN);
		for (;;)
			pause();
	}
	if (!strcmp(what, "wrong"))
		return 3;
	if (!strcmp(what, "thread")) {
		pthread_create(&t, NULL, by_thread, NULL);
		for (;;)
			pause();
	}
	if (!strcmp(what, "child") || !strcmp(what, "orphan"))
		pid = fork_or_die();
	if (pid) {
		if (!strcmp(what, "child"))
			pause();
		gate_pass(g);
		for (;;)
			pause();
	}
	if (!strcmp(what, "orphan")) {
		setsid();
		gate_open(g);
		usleep(20000);
	}
	say("%s", rc(SC(SYS_reboot, MAGIC, magic2[1],
			!strcmp(what, "restart2")   ? RESTART2
			: !strcmp(what, "halt")	    ? HALT
			: !strcmp(what, "poweroff") ? POWER_OFF
						    : RESTART | JUNK,
			"text")));
	return 4;
}
