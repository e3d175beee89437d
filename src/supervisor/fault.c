/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fault points of a test build; empty in a release.
 */
#include "supervisor/fault.h"

#ifdef SV_FAULT
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {
	[SV_FAULT_RESTRICT] = "restrict",   [SV_FAULT_NOSCOPE] = "noscope",
	[SV_FAULT_DRYRUN] = "dryrun",	    [SV_FAULT_NOPROC] = "noproc",
	[SV_FAULT_NOSECCOMP] = "noseccomp", [SV_FAULT_NOFILE] = "nofile",
	[SV_FAULT_NOMEMFD] = "nomemfd",	    [SV_FAULT_NOTEMP] = "notemp",
	[SV_FAULT_NOPIDFD] = "nopidfd",	    [SV_FAULT_WINDOW] = "window",
};

bool sv_fault(enum sv_fault point)
{
	const char *list = getenv("SV_FAULT");
	size_t len = strlen(names[point]);

	while (list && *list) {
		if (strncmp(list, names[point], len) == 0 && (!list[len] || list[len] == ','))
			return true;
		list = strchr(list, ',');
		list += list ? 1 : 0;
	}
	return false;
}

void sv_fault_note(const char *what)
{
	const char *path = getenv("SV_FAULT_LOG");
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd >= 0) {
		if (write(fd, what, strlen(what)) < 0 || write(fd, "\n", 1) < 0)
			abort();
		close(fd);
	}
}
#endif
