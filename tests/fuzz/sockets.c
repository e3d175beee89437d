/* build: src/boundary/cmsg.c src/boundary/netlink.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as control data and as a message to netlink, in blocks of exactly their size. A number
 * that maps to itself changes nothing; one that does not is counted.
 */
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "boundary/cmsg.h"
#include "boundary/netlink.h"

static unsigned asked;

static int32_t same(void *ctx, int32_t pid)
{
	(void)ctx;
	asked++;
	return pid;
}

/* Every name in turn, and none. */
static int family(void *ctx, uint16_t id, char name[BD_GENL_NAME])
{
	static const char *const names[] = {"nl80211", "nl802154", "devlink", "TASKSTATS",
					    "fifteen-letters"};

	(void)ctx;
	if (id % 8 >= 5)
		return id % 8 == 5 ? -24 : 0;
	strncpy(name, names[id % 8], BD_GENL_NAME);
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int protocols[] = {NETLINK_ROUTE, NETLINK_GENERIC, NETLINK_AUDIT};
	static const struct bd_netlink how = {same, family, NULL};
	char *copy;
	int r;

	if (!size)
		return 0;
	copy = malloc(size);
	memcpy(copy, data + 1, size - 1);
	asked = 0;
	if (data[0] % 4 == 3)
		r = (int)bd_cmsg_send(copy, size - 1, same, NULL);
	else
		r = bd_netlink_send(&how, protocols[data[0] % 4], copy, size - 1);
	if ((r >= 0 && (unsigned)r != asked) || memcmp(copy, data + 1, size - 1))
		abort();
	free(copy);
	return 0;
}
