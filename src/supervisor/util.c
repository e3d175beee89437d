/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers of util.h that are more than a line.
 */
#include "supervisor/util.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

int sv_failed(struct sv_fail *fail, int err, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	vsnprintf(fail->text, sizeof(fail->text), fmt, ap);
	va_end(ap);
	len = strlen(fail->text);
	if (err)
		snprintf(fail->text + len, sizeof(fail->text) - len, ": %s", strerror(-err));
	return err ? err : -EIO;
}

static void close_between(unsigned int first, unsigned int last)
{
	struct rlimit rl;

	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	/* Linux before 5.9, or a profile that does not know the call. */
	if (getrlimit(RLIMIT_NOFILE, &rl) < 0 || rl.rlim_max > 65536)
		rl.rlim_max = 65536;
	for (unsigned int fd = first; fd <= last && fd < rl.rlim_max; fd++)
		close((int)fd);
}

void sv_close_others(const int *keep, size_t n)
{
	unsigned int from = 3;

	for (;;) {
		unsigned int next = ~0u;

		for (size_t i = 0; i < n; i++)
			if (keep[i] >= 0 && (unsigned int)keep[i] >= from && (unsigned int)keep[i] < next)
				next = (unsigned int)keep[i];
		if (next == ~0u)
			break;
		if (next > from)
			close_between(from, next - 1);
		from = next + 1;
	}
	close_between(from, ~0u);
}

void sv_fd_blank(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0) /* a chroot without /dev */
		null = open("/", O_PATH | O_CLOEXEC);
	if (null == fd)
		return;
	if (null >= 0) {
		dup3(null, fd, O_CLOEXEC);
		close(null);
	} else {
		close(fd);
	}
}

long long sv_now_msec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}
