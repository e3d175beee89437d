/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program believes of itself and is to see in texts about it, where the kernel knows the
 * resident's: dispositions and masks, restrictions, the call it is in.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "resident/below.h"
#include "resident/filters.h"
#include "resident/init.h"
#include "resident/proc.h"
#include "resident/text.h"

int32_t rs_text_task(struct rs_area *a, const struct bd_procpath *p)
{
	if (p->task == BD_TASK_ONE)
		return rs_in_task(a, p->tid.n);
	if (p->kind == BD_PROC_THREAD_SELF)
		return a->htid.n;
	return p->kind == BD_PROC_SELF ? a->htgid.n : rs_in_pid(p->pid.n);
}

static uint32_t group_of(int32_t hid)
{
	struct sp_ref ref = sp_pid_find(RS_NS, sp_pid_number(RS_NS, sp_hpid_of(hid)));

	return (uint32_t)rs_ref_group(ref).n;
}

/* What was never asked for is as the kernel has it: after an exec it knows what is ignored. */
static void own_dispositions(const struct rs_sighand *h, struct bd_signals *s)
{
	s->caught = (struct bd_sigset_view){0, 0};
	s->ignored = (struct bd_sigset_view){~h->known, 0};
	for (int sig = 1; sig <= RS_NSIG; sig++) {
		if (!(h->known & RS_BIT(sig)))
			continue;
		if (h->act[sig - 1].handler > 1)
			s->caught.set |= RS_BIT(sig);
		else if (h->act[sig - 1].handler)
			s->ignored.set |= RS_BIT(sig);
	}
}

/*
 * The thread that asks. While its text is read everything is blocked: what arrives meanwhile is pending
 * in the kernel, and delivered in the program's view.
 */
static void own_mask(const struct rs_frame *f, const struct rs_area *a, struct bd_signals *s)
{
	uint64_t blocked = rs_mask_shown(a, f->saved_mask);

	s->blocked = (struct bd_sigset_view){0, blocked};
	s->pending.keep = s->shared.keep = blocked;
	if (!a->sigsys_pending)
		return;
	if (a->sigsys_info.code == SI_TKILL)
		s->pending.set = RS_SIGSYS_BIT;
	else
		s->shared.set = RS_SIGSYS_BIT;
}

/* What the program believes where the resident's dispositions and masks are in the kernel. */
static void believed_signals(const struct rs_frame *f, struct rs_area *a,
			     const struct bd_procpath *p, struct bd_signals *s)
{
	static const struct bd_sigset_view as_is = {~0ul, 0}, not_ours = {RS_MASK_ALL, 0};
	int32_t hid = rs_text_task(a, p);
	bool own = rs_proc_own(a, p);
	uint32_t group = own ? (uint32_t)a->tgid.n : group_of(hid);
	const struct rs_area *sibling;

	*s = (struct bd_signals){as_is, as_is, not_ours, as_is, not_ours};
	if (own)
		own_dispositions(a->hand, s);
	if (group == 1) {
		s->caught = (struct bd_sigset_view){0, atomic_load(&RS_NS->init_handled)};
		s->ignored = (struct bd_sigset_view){0, atomic_load(&RS_NS->init_ignored)};
		if (!own && hid == (int32_t)atomic_load(&RS_NS->init_hid))
			s->blocked.set = atomic_load(&RS_NS->init_blocked) & RS_SIGSYS_BIT;
	}
	if (!own) {
		uint64_t sets[3];

		if (rs_has_below() && rs_init_below(sp_vpid_of((int32_t)group), sets)) {
			s->caught = (struct bd_sigset_view){0, sets[0]};
			s->ignored = (struct bd_sigset_view){0, sets[1]};
		}
		return;
	}
	if (hid == a->htid.n) {
		own_mask(f, a, s);
		return;
	}
	sibling = rs_area_of(a->htgid, sp_hpid_of(hid));
	if (sibling && sibling->sigsys_blocked)
		s->blocked.set = RS_SIGSYS_BIT;
	s->shared.keep = f->saved_mask;
}

static bool read_of(int32_t hid, uint64_t at, void *to, size_t n)
{
	uint64_t local[2] = {(uint64_t)to, n}, remote[2] = {at, n};

	return sp_sys6(__NR_process_vm_readv, hid, (long)local, 1, (long)remote, 1, 0) == (long)n;
}

static uint32_t depth_of(const struct rs_filter *head)
{
	return head ? head->depth : 0;
}

/* At least the tree's own; a process with watched descriptors has more of them. */
#define OUR_FILTERS 1

/* An area's fields between its stack and its levels. */
#define HEAD_AT offsetof(struct rs_area, owner)
struct head {
	_Alignas(8) char bytes[offsetof(struct rs_area, levels) - HEAD_AT];
};
_Static_assert(sizeof(struct head) <= 512, "it is on the stack");

/*
 * The area of a task, of which only the fields of a head may be looked at; NULL if it is not known. Another process is
 * asked as a debugger asks, if we may; its first thread has the first area unless it was forked by another
 * thread than that.
 */
static const struct rs_area *area_of(struct rs_area *a, const struct bd_procpath *p, int32_t hid,
				     struct head *buf)
{
	const struct rs_area *area = (const struct rs_area *)((uint64_t)buf - HEAD_AT);

	if (hid == a->htid.n)
		return a;
	if (rs_proc_own(a, p))
		return rs_area_of(a->htgid, sp_hpid_of(hid));
	if (!read_of(hid, (uint64_t)rs_main_area + HEAD_AT, buf, sizeof(*buf)) ||
	    (int32_t)atomic_load(&area->owner) != hid)
		return NULL;
	return area;
}

/* The program's restrictions are in its thread's area. */
static void believed_restrictions(const struct rs_area *area, int32_t hid, bool own,
				  struct bd_restrictions *r)
{
	const struct rs_filter *newest = atomic_load(&area->filters);

	r->no_new_privs = area->no_new_privs;
	if (own)
		r->filters = depth_of(newest);
	else if (!newest)
		r->filters = 0;
	else if (!read_of(hid, (uint64_t)&newest->depth, &r->filters, sizeof(r->filters)))
		return;
	r->counted = true;
}

/* What another process thinks of SIGSYS. */
static void believed_sigsys(const struct rs_area *area, int32_t hid, struct bd_signals *s)
{
	uint64_t handler;

	if (area->sigsys_blocked)
		s->blocked.set |= RS_SIGSYS_BIT;
	if (area->sigsys_pending && area->sigsys_info.code == SI_TKILL)
		s->pending.set |= RS_SIGSYS_BIT;
	else if (area->sigsys_pending)
		s->shared.set |= RS_SIGSYS_BIT;
	if (!read_of(hid, (uint64_t)&area->hand->act[SIGSYS - 1].handler, &handler, sizeof(handler)))
		return;
	if (handler > 1)
		s->caught.set |= RS_SIGSYS_BIT;
	else if (handler)
		s->ignored.set |= RS_SIGSYS_BIT;
}

void rs_belief_of(const struct rs_frame *f, struct rs_area *a, const struct bd_procpath *p,
		  struct rs_belief *b, bool whole)
{
	int32_t hid = rs_text_task(a, p);
	bool own = rs_proc_own(a, p);
	const struct rs_area *area;
	struct head buf;

	believed_signals(f, a, p, &b->signals);
	if (!whole)
		return;
	b->restrictions = (struct bd_restrictions){false, false, OUR_FILTERS};
	area = area_of(a, p, hid, &buf);
	if (area)
		believed_restrictions(area, hid, own, &b->restrictions);
	if (area && !own)
		believed_sigsys(area, hid, &b->signals);
	/* The program does not know those the caller of subpid was under, but they count. */
	if (atomic_load(&RS_NS->flags) & SP_SEG_FILTERED) {
		b->restrictions.counted = false;
		b->restrictions.filters = OUR_FILTERS;
	}
}

/* What a text has of a task whose signals are blocked by us: SIGSYS is among them. */
#define STATUS_ALL "SigBlk:\tfffffffffffbfeff\n"
#define STAT_ALL " 2147221247 "

static bool has(const char *text, size_t len, const char *what, size_t n)
{
	for (size_t i = 0; i + n <= len; i++)
		if (text[i] == what[0] && !memcmp(text + i, what, n))
			return true;
	return false;
}

void rs_belief_blocked(struct rs_area *a, const struct bd_procpath *p, const char *text, size_t len,
		       struct bd_signals *s)
{
	int32_t hid = rs_text_task(a, p);
	const struct rs_area *area;
	struct head buf;
	uint64_t mask;
	uint32_t level;

	if (hid == a->htid.n || (!has(text, len, STATUS_ALL, sizeof(STATUS_ALL) - 1) &&
				 !has(text, len, STAT_ALL, sizeof(STAT_ALL) - 1)))
		return;
	s->blocked.keep = 0;
	area = area_of(a, p, hid, &buf);
	level = area ? area->level : RS_LEVELS;
	if (level >= RS_LEVELS)
		return;
	if (!rs_proc_own(a, p))
		area = (const struct rs_area *)rs_main_area;
	if (read_of(hid, (uint64_t)&area->levels[level].frame.saved_mask, &mask, sizeof(mask)))
		s->blocked.set |= mask & RS_MASK_ALL;
}

/* The value of a word "0x..." of the text; moves *at behind it. */
static uint64_t hex_word(const char *text, size_t len, size_t *at)
{
	char word[20];
	const char *p = word;
	size_t n = 0;

	while (*at < len && text[*at] != ' ' && text[*at] != '\n' && n < sizeof(word) - 1)
		word[n++] = text[(*at)++];
	word[n] = '\0';
	while (*at < len && (text[*at] == ' ' || text[*at] == '\n'))
		(*at)++;
	if (n > 2 && word[1] == 'x')
		p += 2;
	return sp_parse_hex(&p);
}

/*
 * The words are the call's number, six arguments, SP and PC. Inside of us the program's own are in the
 * frame; a vfork child's is behind its parent's, whom the area belongs to.
 */
bool rs_belief_call(int32_t hid, const char *text, size_t len, struct bd_call *ret_call)
{
	uint64_t area, sp = 0, pc = 0, owner;
	struct rs_regs r;
	uint32_t level;
	size_t at = 0;

	for (int i = 0; i < 9 && at < len; i++) {
		sp = pc;
		pc = hex_word(text, len, &at);
	}
	if (pc < (uint64_t)rs_text_start || pc >= (uint64_t)rs_text_end)
		return false;
	area = sp & ~(RS_AREA_SIZE - 1);
	if (!read_of(hid, area + offsetof(struct rs_area, owner), &owner, 8) ||
	    !read_of(hid, area + offsetof(struct rs_area, level), &level, 4) || level >= RS_LEVELS)
		return false;
	if ((int32_t)owner == hid)
		level = 0;
	if (!read_of(hid, area + offsetof(struct rs_area, levels) + level * sizeof(struct rs_level),
		     &r, sizeof(r)))
		return false;
	*ret_call = (struct bd_call){
		(int64_t)r.rax, {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9}, r.rsp, r.rip};
	return true;
}
