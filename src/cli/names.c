/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What names.h says.
 */
#include "cli/names.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "supervisor/root.h"

#define NAMES_MAX 256

void cli_warn_root(void)
{
	static bool warned;
	struct sv_root root;
	struct sv_fail fail;
	int r = sv_root_open(&root, cli_global.root, false, &fail);

	if (r == 0 && root.fd >= 0)
		close(root.fd);
	if (root.passed_over[0] && !cli_global.quiet && !warned)
		cli_say("warning: XDG_RUNTIME_DIR=%s is not a directory of yours; %s is used "
			"instead",
			root.passed_over, root.path);
	warned = true;
}

subpid *cli_subpid(void)
{
	subpid *s;

	cli_warn_root();

	if (subpid_open(&s, cli_global.root) == 0)
		return s;
	cli_say("%s", subpid_why(s));
	subpid_close(s);
	return NULL;
}

void cli_say_why(subpid *s, const char *name, int err)
{
	struct subpid_container **list = NULL;
	const char *names[NAMES_MAX], *meant = NULL;
	char why[256];
	int n = 0;

	snprintf(why, sizeof(why), "%s", subpid_why(s));
	if (err == -ENOENT && subpid_list(s, &list) > 0) {
		while (list[n] && n < NAMES_MAX) {
			names[n] = list[n]->name;
			n++;
		}
		meant = cli_similar(name, names, (size_t)n);
	}
	if (meant)
		cli_say("%s; did you mean '%s'?", why, meant);
	else
		cli_say("%s", why);
	subpid_list_free(list);
}

const char *cli_state_name(enum subpid_state state)
{
	switch (state) {
	case SUBPID_STARTING:
		return "starting";
	case SUBPID_RUNNING:
		return "running";
	case SUBPID_STOPPED:
		return "stopped";
	case SUBPID_ENDING:
		return "ending";
	case SUBPID_EXITED:
		return "exited";
	case SUBPID_LOST:
		return "lost";
	case SUBPID_DAMAGED:
		return "damaged";
	}
	return "unknown";
}

void cli_age(char ret[16], int64_t msec)
{
	long long s = msec < 0 ? 0 : msec / 1000;

	if (s < 120)
		snprintf(ret, 16, "%llds", s);
	else if (s < 120 * 60)
		snprintf(ret, 16, "%lldm", s / 60);
	else if (s < 48 * 3600)
		snprintf(ret, 16, "%lldh", s / 3600);
	else
		snprintf(ret, 16, "%lldd", s / 86400 % 1000000);
}

int64_t cli_wall_msec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * (int64_t)1000 + t.tv_nsec / 1000000;
}
