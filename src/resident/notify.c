/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listener's side of seccomp user notification. The number of the task is converted. A call that was
 * made for the kernel to ask (seccomp.c:rs_ask) must not go on in the kernel, whose numbers it does not
 * have: the target's resident is told to go on itself. Such notifications have a cookie of their own, which
 * the kernel does not know: no state is kept, so any task with the descriptor may answer.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/seccomp.h>

#include "arch/x86_64/syscall.h"
#include "resident/handlers.h"
#include "resident/notify.h"
#include "resident/seccomp.h"
#include "resident/user.h"

#define ASKED (1ul << 63) /* cookies count from a random start: they do not come that near */

/* include/uapi/linux/seccomp.h: struct seccomp_notif, seccomp_notif_resp, seccomp_notif_addfd */
struct notif {
	uint64_t id;
	uint32_t pid, flags;
	struct seccomp_data data;
};
struct reply {
	uint64_t id;
	int64_t val;
	int32_t error;
	uint32_t flags;
};
struct addfd {
	uint64_t id;
	uint32_t flags, srcfd, newfd, newfd_flags;
};
#define FLAG_CONTINUE 1u

static long finish_recv(struct rs_frame *f)
{
	const struct notif *got = (const struct notif *)f->scratch;
	struct notif out = *got;

	if (f->raw)
		return f->raw;
	out.pid = (uint32_t)rs_out_past((int32_t)got->pid);
	if (got->data.instruction_pointer == (uint64_t)rs_ask_after)
		out.id ^= ASKED;
	return rs_user_write((uint64_t)f->regs.rdx, &out, sizeof(out)) ? -EFAULT : 0;
}

static long recv(struct rs_frame *f)
{
	struct notif *n = (struct notif *)f->scratch;
	const char *byte = (const char *)n;

	_Static_assert(sizeof(*n) == 80, "uapi");
	/* What the kernel would refuse it is given as it is: the buffer must be writable and zero. */
	if (rs_user_read(n, (uint64_t)f->a[2], sizeof(*n)) ||
	    rs_user_writable((uint64_t)f->a[2], sizeof(*n)))
		return rs_call(f, rs_finish_raw);
	for (size_t i = 0; i < sizeof(*n); i++)
		if (byte[i])
			return rs_call(f, rs_finish_raw);
	f->a[2] = (long)n;
	return rs_call(f, finish_recv);
}

static bool is_asked(const struct rs_frame *f, uint64_t id)
{
	uint64_t other = id ^ ASKED;

	return sp_sys3(__NR_ioctl, f->a[0], (long)RS_NOTIF_ID_VALID, (long)&id) == -ENOENT &&
	       !sp_sys3(__NR_ioctl, f->a[0], (long)RS_NOTIF_ID_VALID, (long)&other);
}

/* The structures start with the cookie; what is wrong with the rest the kernel says. */
static long answer(struct rs_frame *f, size_t size)
{
	struct reply *r = (struct reply *)f->scratch;

	if (rs_user_read(r, (uint64_t)f->a[2], size) || !is_asked(f, r->id))
		return rs_call(f, rs_finish_raw);
	r->id ^= ASKED;
	if ((uint32_t)f->a[1] == RS_NOTIF_SEND && r->flags == FLAG_CONTINUE && !r->val && !r->error) {
		r->val = RS_GO_ON;
		r->flags = 0;
	}
	f->a[2] = (long)r;
	return rs_call(f, rs_finish_raw);
}

/*
 * ADDFD is told by its number; its size may be one of a later kernel's, if what is beyond ours is zero
 * (lib/usercopy.c:copy_struct_from_user).
 */
static long add(struct rs_frame *f)
{
	uint32_t size = (uint32_t)f->a[1] >> 16 & 0x3fff;
	uint64_t more[8];

	if (size < sizeof(struct addfd) || size >= 4096)
		return rs_call(f, rs_finish_raw);
	for (uint32_t at = sizeof(struct addfd), n; at < size; at += n) {
		n = size - at < sizeof(more) ? size - at : (uint32_t)sizeof(more);
		memset(more, 0, sizeof(more));
		if (rs_user_read(more, (uint64_t)f->a[2] + at, n))
			return rs_call(f, rs_finish_raw);
		for (size_t i = 0; i < sizeof(more) / 8; i++)
			if (more[i])
				return rs_call(f, rs_finish_raw);
	}
	f->a[1] = RS_NOTIF_ADDFD;
	return answer(f, sizeof(struct addfd));
}

long rs_notify_ioctl(struct rs_frame *f)
{
	switch ((uint32_t)f->a[1]) {
	case RS_NOTIF_RECV:
		return recv(f);
	case RS_NOTIF_SEND:
		return answer(f, sizeof(struct reply));
	case RS_NOTIF_ID_VALID:
	case RS_NOTIF_ID_VALID_OLD:
		return answer(f, sizeof(uint64_t));
	default:
		return add(f);
	}
}
