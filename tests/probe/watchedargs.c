/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments that make no sense, for every call that may trap on a signalfd: a fixed sequence of random
 * calls, whose results are summed up. With the argument `all` each call is said.
 */
#include "probe.h"

#include <sys/mman.h>

#ifndef SYS_signalfd4
#define SYS_signalfd4 289
#endif
#define CALLS 12000

static uint64_t state = 88172645463325252ull;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static int fd, ends[2];

/* Standard descriptors are left alone, nothing closed is hit twice. */
static void tame(long nr, uint64_t a[6])
{
	switch (nr) {
	case SYS_write:
	case SYS_writev:
	case SYS_pwrite64:
	case SYS_pwritev:
	case SYS_pwritev2:
	case SYS_sendfile:
		if ((uint32_t)a[0] < 3)
			a[0] = (uint64_t)ends[1];
		break;
	case SYS_splice:
	case SYS_copy_file_range:
		if ((uint32_t)a[2] < 3)
			a[2] = (uint64_t)ends[1];
		break;
	case SYS_dup2:
	case SYS_dup3:
		if ((uint32_t)a[1] < 60)
			a[1] = 60;
		break;
	case SYS_fcntl:
		a[1] = (uint32_t)a[1] ? 1030 : a[1];
		break;
	}
	if ((uint32_t)a[0] < 3)
		a[0] = (uint64_t)fd;
}

int main(int argc, char **argv)
{
	static const long numbers[] = {
		SYS_read,
		SYS_write,
		SYS_pread64,
		SYS_pwrite64,
		SYS_readv,
		SYS_writev,
		SYS_preadv,
		SYS_pwritev,
		SYS_preadv2,
		SYS_pwritev2,
		SYS_copy_file_range,
		SYS_sendfile,
		SYS_splice,
		SYS_io_submit,
		SYS_dup,
		SYS_dup2,
		SYS_dup3,
		SYS_fcntl,
	};
	uint64_t mask = BIT(SIGUSR1), sum = 0;
	char *buf = mmap((void *)0x10000000, 12288, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	set_raw_mask(mask);
	fd = (int)SC(SYS_signalfd4, -1, &mask, 8, O_NONBLOCK);
	if (pipe2(ends, O_NONBLOCK))
		die("pipe2");
	munmap(buf + 8192, 4096);
	for (int i = 0; i < CALLS; i++) {
		const uint64_t values[] = {
			0,
			1,
			2,
			(uint64_t)fd,
			(uint64_t)ends[0],
			(uint64_t)ends[1],
			128,
			127,
			256,
			4096,
			(uint64_t)buf,
			(uint64_t)buf + 8190,
			(uint64_t)WILD,
			~0ull,
			0xdeadbeef00000000ull | (uint64_t)fd,
			1030,
			0x80000000,
			1ull << 47,
			5000,
			50,
		};
		long nr = numbers[next() % COUNT(numbers)], r;
		uint64_t a[6];
		char drain[200];

		if (i % 7 == 0)
			kill(getpid(), SIGUSR1);
		for (int k = 0; k < 6; k++)
			a[k] = values[next() % COUNT(values)];
		if (next() % 2)
			a[0] = (uint64_t)fd;
		tame(nr, a);
		/* Two buffers, if it is taken for a vector. */
		((uint64_t *)buf)[0] = (uint64_t)buf + 100;
		((uint64_t *)buf)[1] = 100;
		((uint64_t *)buf)[2] = (uint64_t)buf + 300;
		((uint64_t *)buf)[3] = 50;
		r = sc6(nr, (long)a[0], (long)a[1], (long)a[2], (long)a[3], (long)a[4], (long)a[5]);
		if (r > 2 && (nr == SYS_dup || nr == SYS_dup2 || nr == SYS_dup3 || nr == SYS_fcntl) &&
		    r != fd && r != ends[0] && r != ends[1])
			SC(SYS_close, r);
		while (SC(SYS_read, ends[0], drain, sizeof(drain)) > 0)
			;
		sum = sum * 31 + (uint64_t)r;
		if (argc > 1)
			say("%d: %ld(%lx, %lx, %lx, %lx, %lx, %lx) = %s", i, nr, (long)a[0],
			    (long)a[1], (long)a[2], (long)a[3], (long)a[4], (long)a[5], rc(r));
		else if (i % 500 == 499)
			say("up to %d: %llx", i, (unsigned long long)sum);
	}
	return 0;
}
