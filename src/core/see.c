/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers for tasks of namespaces below, given by the supervisor when an ancestor first looks. They come
 * from [seq_end, pid_max), so that looking never shifts the sequence. The segment may be hostile.
 */
#include <linux/errno.h>

#include "core/slot.h"

/* The rest stays for the namespace's own: no crowd below keeps it from creating a task. */
#define SEEN_WAYS (SP_WAYS - 2)

/* The entry that carries hid, unless it is of another identity. */
static struct sp_ref seen(struct sp_segment *ns, sp_hpid hid, uint64_t ident)
{
	struct sp_ref ref = sp_find_hid(ns, hid.n, SP_BIT(SP_LIVE) | SP_BIT(SP_DEAD));
	uint64_t have;

	if (ref.slot == SP_NO_SLOT || !ident)
		return ref;
	have = sp_load(&sp_entry_at(ns, ref.slot)->ident);
	/* A stamp says when, not who. */
	return !have || have & SP_IDENT_STAMP || have == ident ? ref : SP_REF_NONE;
}

/* Reserves one number: RESERVED and NESTED. */
static int take(struct sp_segment *ns, sp_vpid tgid, uint32_t flags, sp_hpid by, struct sp_ref *ret_ref)
{
	int32_t first = sp_once(ns->seq_end), end = sp_once(ns->pid_max);
	int32_t n = sp_load(&ns->high_cursor);

	if (end > SP_PID_MAX_DEFAULT || first < SP_PID_MAX_MIN || first >= end)
		return -EAGAIN;
	if (n < first || n >= end)
		n = end - 1;
	for (int32_t tries = 0; tries < (int32_t)SP_CANDIDATES && tries < end - first; tries++) {
		struct sp_place p;

		n = n + 1 < end ? n + 1 : first;
		p = sp_look(ns, n, SP_NO_SLOT);
		if (p.taken || p.way >= SEEN_WAYS)
			continue;
		sp_store(&ns->high_cursor, n);
		if (sp_claim(ns, n, p, tgid, flags | SP_F_NESTED, by.n, ret_ref))
			continue;
		if (!tgid.n || !sp_hid_in_group(ns, n, (uint32_t)tgid.n, ret_ref->slot))
			return 0;
		(void)sp_let_go(ns, *ret_ref, 0); /* ORDERING A3 */
	}
	return -EAGAIN;
}

int sp_pid_see(struct sp_segment *ns, const struct sp_task *task, sp_hpid by,
	       struct sp_ref *ret_ref, bool *ret_new)
{
	struct sp_ref ref = seen(ns, task->hid, task->ident);
	uint32_t flags = task->flags & (SP_F_LEADER | SP_F_SESSION);
	int r;

	if (ret_new)
		*ret_new = ref.slot == SP_NO_SLOT;
	if (ref.slot != SP_NO_SLOT) {
		if (flags && sp_word_flags(ref.word) & SP_F_NESTED)
			sp_pid_set_flags(ns, &ref, flags);
		*ret_ref = ref;
		return 0;
	}
	if (sp_load(&ns->closing))
		return -ENOMEM;
	/* Refused as a thread's ambiguous spelling is: with another number it will do. */
	for (int tries = 0; tries < 4; tries++) {
		r = take(ns, task->tgid, flags, by, &ref);
		if (r)
			return r;
		sp_store(&sp_entry_at(ns, ref.slot)->ident, task->ident);
		if (task->keeper.n && sp_pid_set_keeper(ns, &ref, task->keeper)) {
			sp_pid_cancel(ns, ref);
			break;
		}
		r = sp_pid_publish(ns, &ref, task->hid);
		if (!r) {
			*ret_ref = ref;
			return 0;
		}
		if (r != -EEXIST)
			break;
	}
	return -EAGAIN;
}
