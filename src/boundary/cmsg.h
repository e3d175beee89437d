/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control data of socket messages (cmsg(3)): where credentials are in it.
 */
#ifndef BOUNDARY_CMSG_H
#define BOUNDARY_CMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* struct cmsghdr of x86-64 */
struct bd_cmsg {
	uint64_t len; /* this header included */
	int32_t level, type;
};

/* struct ucred */
struct bd_ucred {
	int32_t pid;
	uint32_t uid, gid;
};

#define BD_SOL_SOCKET 1
#define BD_SCM_RIGHTS 1
#define BD_SCM_CREDENTIALS 2
#define BD_CREDENTIALS_LEN (sizeof(struct bd_cmsg) + sizeof(struct bd_ucred))

/* Whether a header at pos in len bytes of control data is one the kernel accepts (CMSG_OK). */
static inline bool bd_cmsg_ok(const struct bd_cmsg *h, uint64_t pos, uint64_t len)
{
	return h->len >= sizeof(*h) && h->len <= len - pos;
}

/* Where the header behind it would be. */
static inline uint64_t bd_cmsg_next(const struct bd_cmsg *h, uint64_t pos)
{
	return pos + ((h->len + 7) & ~7ull);
}

/* Whether there is room for a header at pos. */
static inline bool bd_cmsg_fits(uint64_t pos, uint64_t len)
{
	return pos <= len && len - pos >= sizeof(struct bd_cmsg);
}

/*
 * Control data as sendmsg is given it, in place: in(ctx, pid) for each credential up to the point where the
 * kernel refuses the list (net/core/scm.c:__scm_send). Returns how many there were.
 */
unsigned bd_cmsg_send(char *buf, size_t len, int32_t (*in)(void *ctx, int32_t pid), void *ctx);

#endif
