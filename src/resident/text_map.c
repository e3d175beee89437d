/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers of a text (boundary/procview.h) by the namespace's registry, and by the supervisor for tasks below.
 */
#include "resident/below.h"
#include "resident/text.h"

static sp_vpid map_number(void *ctx, sp_hpid hid)
{
	(void)ctx;
	return sp_vpid_of(rs_out_often(hid.n, RS_OUT_PID));
}

static sp_vpid map_group(void *ctx, sp_hpid hid)
{
	(void)ctx;
	return sp_vpid_of(rs_out_often(hid.n, RS_OUT_GROUP));
}

static sp_vpid map_past(void *ctx, sp_hpid hid)
{
	(void)ctx;
	return sp_vpid_of(rs_out_often(hid.n, RS_OUT_PAST));
}

/* The context is the host tid of the task that the text is about, 0 where it is about others. */
static int32_t subject(void *ctx)
{
	return (int32_t)(intptr_t)ctx;
}

static sp_vpid map_parent(void *ctx, sp_hpid hid)
{
	return rs_parent_number(subject(ctx), hid.n);
}

static bool map_columns(void *ctx, sp_hpid hid, struct sp_text *out)
{
	return rs_levels(ctx ? subject(ctx) : hid.n, hid.n, out);
}

void rs_text_map(struct bd_map *map, struct rs_area *a, enum bd_text text, const struct bd_procpath *p)
{
	*map = (struct bd_map){.number = map_number,
			       .group = map_group,
			       .past = map_past,
			       .last = sp_vpid_of(atomic_load(&RS_NS->cursor)),
			       .pid_max = RS_NS->pid_max,
			       .ns_kernel = RS_NS->pidns_ino,
			       .ns_shown = RS_NS->ns_ino};
	if (!rs_has_below())
		return;
	if (text == BD_TEXT_STAT || text == BD_TEXT_STATUS) {
		map->ctx = (void *)(intptr_t)rs_text_task(a, p);
		map->parent = map_parent;
	}
	if (text == BD_TEXT_STATUS || text == BD_TEXT_FDINFO)
		map->columns = map_columns;
	/* Of everybody: asked for one by one they would be too many. */
	if (text == BD_TEXT_LOCKS || text == BD_TEXT_MEMBERS || text == BD_TEXT_MEMBERS_0)
		rs_see_all();
}
