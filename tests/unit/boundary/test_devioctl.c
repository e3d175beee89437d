/* build: src/boundary/devioctl.c src/boundary/table.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers in structures of devices: the place that each request has them in, for machines without the device.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sound/asequencer.h>
#include <sound/asound.h>
#include <string.h>
#include <sys/ioctl.h>

#include "boundary/devioctl.h"
#include "boundary/table.h"

/* As in drm.h and kfd_ioctl.h, which need headers that a machine without graphics lacks. */
struct drm_client {
	int idx, auth;
	unsigned long pid, uid, magic, iocs;
};

struct kfd_ioctl_criu_args {
	uint64_t devices, bos, priv_data, priv_data_size;
	uint32_t num_devices, num_bos, num_objects, pid, op;
};

struct kfd_ioctl_dbg_trap_args {
	uint32_t pid, op;
	uint64_t of_op[3];
};

static const struct {
	uint32_t request;
	size_t offset, width;
	bool in;
} expected[] = {
	{_IOWR('d', 0x05, struct drm_client), offsetof(struct drm_client, pid), 8, false},
	{_IOWR('K', 0x22, struct kfd_ioctl_criu_args), offsetof(struct kfd_ioctl_criu_args, pid), 4,
	 false},
	{_IOWR('K', 0x26, struct kfd_ioctl_dbg_trap_args), 0, 4, true},
	{SNDRV_CTL_IOCTL_ELEM_INFO, offsetof(struct snd_ctl_elem_info, owner), 4, false},
	{SNDRV_SEQ_IOCTL_GET_CLIENT_INFO, offsetof(struct snd_seq_client_info, pid), 4, false},
	{SNDRV_SEQ_IOCTL_QUERY_NEXT_CLIENT, offsetof(struct snd_seq_client_info, pid), 4, false},
};
#define EXPECTED (sizeof(expected) / sizeof(expected[0]))

static bool traps(uint32_t request)
{
	for (unsigned i = 0; i < bd_set_member_count; i++)
		if (bd_set_members[i].set == BD_SET_tty &&
		    (request & bd_set_members[i].mask) == bd_set_members[i].value)
			return true;
	return false;
}

static void places(void **state)
{
	(void)state;
	for (size_t i = 0; i < EXPECTED; i++) {
		const struct bd_devioctl *d = bd_devioctl_find(expected[i].request);

		assert_non_null(d);
		assert_int_equal(d->request, expected[i].request);
		assert_int_equal(d->offset, expected[i].offset);
		assert_int_equal(d->width, expected[i].width);
		assert_int_equal(d->in, expected[i].in);
		assert_in_range(d->offset + d->width, d->width, _IOC_SIZE(d->request));
		assert_true(traps(d->request));
	}
}

static void others_are_not_found(void **state)
{
	(void)state;
	assert_null(bd_devioctl_find(0));
	assert_null(bd_devioctl_find(0xffffffff));
	for (size_t i = 0; i < EXPECTED; i++)
		for (unsigned bit = 0; bit < 32; bit++)
			assert_null(bd_devioctl_find(expected[i].request ^ 1u << bit));
}

static void only_the_number_changes(void **state)
{
	static const int64_t numbers[] = {0, 1, -1, 4194304, INT32_MAX, INT32_MIN};

	(void)state;
	for (size_t i = 0; i < EXPECTED; i++) {
		const struct bd_devioctl *d = bd_devioctl_find(expected[i].request);
		size_t size = _IOC_SIZE(d->request);

		for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++) {
			unsigned char *s = test_malloc(size);

			memset(s, 0xa5, size);
			bd_devioctl_put(d, s, numbers[n]);
			assert_int_equal(bd_devioctl_get(d, s), numbers[n]);
			for (size_t at = 0; at < size; at++)
				if (at < d->offset || at >= (size_t)d->offset + d->width)
					assert_int_equal(s[at], 0xa5);
			test_free(s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(others_are_not_found),
		cmocka_unit_test(only_the_number_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
