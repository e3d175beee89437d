/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: core OPERATION COUNT LIVE
 * The registry's operations with LIVE entries, for counting their instructions under callgrind: the
 * difference of two runs with different counts is the operation's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/pid.h"

#define HOST 100000

static struct sp_segment *ns;
static int32_t live;

static struct sp_ref birth(int32_t hid)
{
	struct sp_ref ref;

	if (sp_pid_reserve(ns, SP_VPID_NONE, sp_hpid_of(1), &ref) ||
	    sp_pid_publish(ns, &ref, sp_hpid_of(hid)))
		exit(1);
	return ref;
}

static void life(int i)
{
	struct sp_ref ref = birth(HOST + live + i % 1000);

	if (sp_pid_publish(ns, &ref, sp_hpid_of(HOST + live + i % 1000)))
		exit(1);
	sp_pid_retire(ns, ref);
}

static void find(int i)
{
	if (sp_pid_find(ns, sp_vpid_of(1 + i * 7919 % live)).slot == SP_NO_SLOT)
		exit(1);
}

static void number(int i)
{
	if (!sp_pid_number(ns, sp_hpid_of(HOST + i * 7919 % live)).n)
		exit(1);
}

static void sweep(int i)
{
	struct sp_ref refs[3];

	(void)i;
	sp_ns_sweep(ns, 64, refs, 3);
}

static void list(int i)
{
	static struct sp_ref refs[512];
	sp_vpid from = sp_vpid_of(1);
	size_t n;

	(void)i;
	do {
		n = sp_ns_list(ns, from, refs, 512);
		if (n)
			from = sp_vpid_of(sp_ref_number(refs[n - 1]).n + 1);
	} while (n == 512);
}

static const struct {
	const char *name;
	void (*op)(int i);
} ops[] = {{"life", life}, {"find", find}, {"number", number}, {"sweep", sweep}, {"list", list}};

int main(int argc, char **argv)
{
	int count = argc == 4 ? atoi(argv[2]) : 0;

	live = argc == 4 ? atoi(argv[3]) : 0;
	ns = mmap(0, SP_SEGMENT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (live < 1 || ns == MAP_FAILED || sp_ns_create(ns, SP_SEGMENT_SIZE, SP_PID_MAX_DEFAULT))
		return 1;
	for (int32_t i = 0; i < live; i++)
		birth(HOST + i);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		for (int k = 0; !strcmp(ops[i].name, argv[1]) && k < count; k++)
			ops[i].op(k);
	return 0;
}
