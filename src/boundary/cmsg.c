/* SPDX-License-Identifier: Apache-2.0 */
#include "boundary/cmsg.h"

#include "base/mem.h"

unsigned bd_cmsg_send(char *buf, size_t len, int32_t (*in)(void *ctx, int32_t pid), void *ctx)
{
	struct bd_cmsg h;
	unsigned n = 0;
	int32_t pid;

	for (uint64_t pos = 0; bd_cmsg_fits(pos, len); pos = bd_cmsg_next(&h, pos)) {
		memcpy(&h, buf + pos, sizeof(h));
		if (!bd_cmsg_ok(&h, pos, len))
			break;
		if (h.level != BD_SOL_SOCKET || h.type != BD_SCM_CREDENTIALS)
			continue;
		if (h.len != BD_CREDENTIALS_LEN)
			break;
		memcpy(&pid, buf + pos + sizeof(h), sizeof(pid));
		pid = in(ctx, pid);
		memcpy(buf + pos + sizeof(h), &pid, sizeof(pid));
		n++;
	}
	return n;
}
